/**
 * Avro object container files.
 *
 *   file    "Obj" 01 | header map<string, bytes> | sync 16 bytes | block*
 *   block   long record count | long byte count | bytes | sync
 *
 * Written without compression: the bytes then depend on nothing but the content, so rendering a version again after an upgrade
 * of the runtime gives the same file, which names that are put only if absent rely on. `deflate` is understood when reading.
 *
 * source  Avro specification 1.11, "Object Container Files"
 */
import { inflateRawSync } from 'node:zlib'
import { assert } from '../../core/assert.ts'
import { ByteReader } from '../../core/byte-reader.ts'
import { ByteWriter } from '../../core/byte-writer.ts'
import { FloeError } from '../../core/errors.ts'
import { readCount, readLong, writeLong } from './codec.ts'

const magic = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01)
const syncBytes = 16
/** Records are gathered until a block has at least this size, as Java does. */
const blockBytesTarget = 64 * 1024
const inflatedBlockBytesMax = 256 * 1024 * 1024
const headerEntryCountMax = 1_000

/**
 * metadata  header entries in order, `avro.schema` among them
 * sync      16 bytes; deterministic, unlike the random ones of other writers
 * count     records; `encode(writer, index)` appends one
 */
export function writeContainer(
  metadata: Readonly<Record<string, string>>,
  sync: Uint8Array,
  count: number,
  encode: (writer: ByteWriter, index: number) => void,
): Uint8Array {
  assert(sync.length === syncBytes, 'an Avro sync marker has 16 bytes')
  const file = new ByteWriter(blockBytesTarget)
  file.raw(magic)
  const entries = Object.entries(metadata)
  writeLong(file, entries.length)
  for (const [key, value] of entries) {
    for (const text of [key, value]) {
      const bytes = Buffer.from(text)
      writeLong(file, bytes.length)
      file.raw(bytes)
    }
  }
  file.uint8(0)
  file.raw(sync)
  const block = new ByteWriter(blockBytesTarget)
  let blockCount = 0
  for (let index = 0; index < count; index++) {
    encode(block, index)
    blockCount++
    if (block.length < blockBytesTarget && index < count - 1) continue
    writeLong(file, blockCount)
    writeLong(file, block.length)
    file.raw(block.view())
    file.raw(sync)
    block.reset()
    blockCount = 0
  }
  return file.take()
}

export interface AvroContainer {
  readonly metadata: ReadonlyMap<string, string>
  /** Unread: parseAvroSchema. */
  readonly schemaText: string
  /** One reader per block, placed at its first record. Records share the file's memory unless it was compressed. */
  readonly blocks: readonly { readonly count: number; readonly reader: ByteReader }[]
}

/** errors  corrupt: not an Avro file, damaged, or with a codec other than `null` and `deflate`; `what` names it */
export function readContainer(bytes: Uint8Array, what: string): AvroContainer {
  const reader = new ByteReader(bytes, what)
  if (!equals(reader.raw(magic.length), magic)) throw reader.corrupt('not an Avro container file')
  const metadata = readHeader(reader)
  const schemaText = metadata.get('avro.schema')
  if (schemaText === undefined) throw reader.corrupt('Avro header without a schema')
  const codec = metadata.get('avro.codec') ?? 'null'
  if (codec !== 'null' && codec !== 'deflate') throw reader.corrupt(`unknown Avro codec ${JSON.stringify(codec)}`)
  const sync = reader.raw(syncBytes)
  const blocks: { count: number; reader: ByteReader }[] = []
  while (reader.remaining > 0) {
    const count = readLong(reader)
    const size = readCount(reader)
    const start = reader.offset
    const stored = reader.raw(size)
    const block =
      codec === 'deflate'
        ? new ByteReader(inflate(stored, what), what)
        : new ByteReader(bytes, what, start, start + size)
    if (count < 0n || count > BigInt(block.remaining)) throw reader.corrupt(`Avro block of ${count} records cannot fit`)
    if (!equals(reader.raw(syncBytes), sync)) throw reader.corrupt('Avro sync marker differs')
    blocks.push({ count: Number(count), reader: block })
  }
  return { metadata, schemaText, blocks }
}

function readHeader(reader: ByteReader): Map<string, string> {
  const metadata = new Map<string, string>()
  for (;;) {
    let count = readLong(reader)
    if (count === 0n) return metadata
    if (count < 0n) {
      count = -count
      readCount(reader)
    }
    if (count > BigInt(headerEntryCountMax)) throw reader.corrupt('Avro header with too many entries')
    for (let rest = Number(count); rest > 0; rest--) {
      const key = Buffer.from(reader.raw(readCount(reader))).toString()
      metadata.set(key, Buffer.from(reader.raw(readCount(reader))).toString())
    }
    if (metadata.size > headerEntryCountMax) throw reader.corrupt('Avro header with too many entries')
  }
}

function inflate(stored: Uint8Array, what: string): Uint8Array {
  try {
    const bytes = inflateRawSync(stored, { maxOutputLength: inflatedBlockBytesMax })
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  } catch (cause) {
    throw new FloeError('corrupt', 'malformed-bytes', `${what}: Avro block cannot be inflated`, {}, cause)
  }
}

const equals = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
