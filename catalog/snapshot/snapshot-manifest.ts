/**
 * The manifest of a catalog snapshot, written after its chunks: a snapshot exists when its manifest does.
 *
 *   magic "FlS2" (uint32), epoch and sequence (int53), crc32c of the entry (uint32), writer id (16), leader address (sized)
 *   with the magic "FlS3", of a catalog whose journal is not in its object store: journal id (16), journal name (sized)
 *   chunk count (uvarint), per chunk: bytes (uvarint), crc32c (uint32)
 *   crc32c of everything before it (uint32)
 *
 * All but the chunks is the journal position the state was taken at (journal-entry.ts).
 */
import { ByteReader } from '../../core/byte-reader.ts'
import { ByteWriter } from '../../core/byte-writer.ts'
import { crc32c } from '../../core/crc32c.ts'
import { FloeError } from '../../core/errors.ts'
import { journalInStore } from '../journal/journal.ts'
import { isInStore, type JournalPosition } from '../journal/journal-entry.ts'

const magic = 0x466c5332
const magicWithJournal = 0x466c5333
/** "FlS1": as now, without the leader's address. */
const magicWithoutAddress = 0x466c5331

export interface SnapshotChunk {
  readonly bytes: number
  readonly crc: number
}

export interface SnapshotManifest {
  readonly position: JournalPosition
  readonly chunks: readonly SnapshotChunk[]
}

export function encodeManifest({ position, chunks }: SnapshotManifest): Uint8Array {
  const writer = new ByteWriter(64 + chunks.length * 9)
  const { journal } = position
  writer.uint32(isInStore(journal) ? magic : magicWithJournal)
  writer.int53(position.epoch)
  writer.int53(position.sequence)
  writer.uint32(position.crc)
  writer.raw(position.writerId)
  writer.sizedString(position.leaderAddress)
  if (!isInStore(journal)) {
    writer.raw(journal.id)
    writer.sizedString(journal.name)
  }
  writer.uvarint(chunks.length)
  for (const { bytes, crc } of chunks) {
    writer.uvarint(bytes)
    writer.uint32(crc)
  }
  writer.uint32(crc32c(writer.view()))
  return writer.take()
}

/** errors  corrupt, naming `key` */
export function decodeManifest(bytes: Uint8Array, key: string): SnapshotManifest {
  const reader = new ByteReader(bytes, `catalog snapshot manifest ${key}`, 0, Math.max(0, bytes.length - 4))
  const format = reader.remaining < 41 ? 0 : reader.uint32()
  if (format !== magic && format !== magicWithJournal && format !== magicWithoutAddress) {
    throw new FloeError('corrupt', 'catalog-snapshot-corrupt', `${key} is no catalog snapshot manifest`, { key })
  }
  const crc = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(bytes.length - 4)
  if (crc32c(bytes.subarray(0, bytes.length - 4)) !== crc) throw reader.corrupt('its checksum differs')
  const epoch = reader.int53()
  const sequence = reader.int53()
  const position = {
    epoch,
    sequence,
    crc: reader.uint32(),
    writerId: new Uint8Array(reader.raw(16)),
    leaderAddress: format === magicWithoutAddress ? '' : reader.sizedString(),
    journal:
      format === magicWithJournal ? { id: new Uint8Array(reader.raw(16)), name: reader.sizedString() } : journalInStore,
  }
  const chunks: SnapshotChunk[] = []
  const count = reader.boundedCount(5)
  for (let index = 0; index < count; index++) chunks.push({ bytes: reader.uvarint(), crc: reader.uint32() })
  if (reader.remaining !== 0) throw reader.corrupt(`${reader.remaining} bytes too many`)
  return { position, chunks }
}
