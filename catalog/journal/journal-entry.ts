/**
 * One object of the journal.
 *
 *    0  4  magic "FlJ1"
 *    4  1  kind: 0 genesis, 1 batch, 2 seal, 3 move
 *    5  3  zero
 *    8  8  epoch
 *   16  8  sequence: one more than the entry before, across epochs
 *   24 16  writer id: fresh for every term of leadership
 *   40  8  time, milliseconds; never before the entry before
 *   48  4  crc32c of the entry before (its last four bytes); 0 for genesis
 *   52  4  client count
 *   56  4  command count
 *   60  4  body bytes
 *   64     client ids, 16 bytes each, then the body
 *          genesis: cluster id (16), and, when the catalog begins outside its object store, journal id (16) and name (UTF-8);
 *          batch: commands (apply-batch.ts);
 *          seal: next epoch (8), next writer id (16), address of the next leader (the rest, UTF-8; empty when it has none);
 *          move: next epoch (8), id (16) and name (UTF-8) of the journal that goes on; nobody leads the next epoch
 *   end 4  crc32c of everything before it
 *
 * The writer id makes entries of different leaders differ, so an object equal to ours is ours.
 */
import { crc32c } from '../../core/crc32c.ts'
import { FloeError } from '../../core/errors.ts'
import { type JournalIdentity, journalInStore } from './journal.ts'

const magic = 0x466c4a31
export const entryHeaderBytes = 64
const trailerBytes = 4
const sealBodyBytesMin = 24
export const leaderAddressBytesMax = 255
const genesisBodyBytesMin = 16
export const journalNameBytesMax = 1024

export const entryKinds = { genesis: 0, batch: 1, seal: 2, move: 3 } as const

/** Where the journal stands after an entry was applied. */
export interface JournalPosition {
  /** Of the next entry. */
  readonly epoch: number
  /** Of the last entry. */
  readonly sequence: number
  /** Of the last entry. */
  readonly crc: number
  /** Who may write the next entry. */
  readonly writerId: Uint8Array
  /** Where other processes reach that writer; empty when it takes no connections. */
  readonly leaderAddress: string
  /** Which journal has the next entry. */
  readonly journal: JournalIdentity
}

export interface EntryHeader {
  readonly kind: number
  readonly epoch: number
  readonly sequence: number
  readonly writerId: Uint8Array
  readonly nowMs: number
  readonly previousCrc: number
}

export interface JournalEntry extends EntryHeader {
  readonly clientIds: readonly Uint8Array[]
  readonly commandCount: number
  /** A view. */
  readonly body: Uint8Array
  readonly crc: number
}

/** The entry as three parts that are to be written one after the other; `body` is used as it is. */
export function encodeEntry(
  header: EntryHeader,
  clientIds: readonly Uint8Array[],
  commandCount: number,
  body: Uint8Array,
): { readonly parts: readonly Uint8Array[]; readonly crc: number } {
  const head = new Uint8Array(entryHeaderBytes + clientIds.length * 16)
  const view = new DataView(head.buffer)
  view.setUint32(0, magic)
  view.setUint8(4, header.kind)
  view.setBigUint64(8, BigInt(header.epoch))
  view.setBigUint64(16, BigInt(header.sequence))
  head.set(header.writerId, 24)
  view.setBigUint64(40, BigInt(header.nowMs))
  view.setUint32(48, header.previousCrc)
  view.setUint32(52, clientIds.length)
  view.setUint32(56, commandCount)
  view.setUint32(60, body.length)
  for (let index = 0; index < clientIds.length; index++) head.set(clientIds[index]!, entryHeaderBytes + index * 16)
  const crc = crc32c(body, crc32c(head))
  const trailer = new Uint8Array(trailerBytes)
  new DataView(trailer.buffer).setUint32(0, crc)
  return { parts: [head, body, trailer], crc }
}

/** errors  invalid: the address is longer than `leaderAddressBytesMax` */
export function encodeSealBody(nextEpoch: number, nextWriterId: Uint8Array, address: string): Uint8Array {
  const addressBytes = Buffer.from(address)
  if (addressBytes.length > leaderAddressBytesMax) {
    throw new FloeError(
      'invalid',
      'address-too-long',
      `the address ${address} has more than ${leaderAddressBytesMax} bytes`,
    )
  }
  return Buffer.concat([epochBytes(nextEpoch), nextWriterId, addressBytes])
}

export function encodeMoveBody(nextEpoch: number, { id, name }: JournalIdentity): Uint8Array {
  return Buffer.concat([epochBytes(nextEpoch), id, Buffer.from(name)])
}

export function encodeGenesisBody(clusterId: Uint8Array, journal: JournalIdentity): Uint8Array {
  // As before there were other journals, so that earlier versions read what they can serve.
  if (isInStore(journal)) return clusterId
  return Buffer.concat([clusterId, journal.id, Buffer.from(journal.name)])
}

function epochBytes(epoch: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(epoch))
  return bytes
}

/** Keeps nothing of the bytes. */
function decodeIdentity(bytes: Uint8Array): JournalIdentity {
  const id = new Uint8Array(bytes.subarray(0, 16))
  if (bytes.length === 0 || equalBytes(id, journalInStore.id)) return journalInStore
  return { id, name: Buffer.from(bytes.subarray(16)).toString() }
}

export function isInStore(journal: JournalIdentity): boolean {
  return equalBytes(journal.id, journalInStore.id)
}

export function clusterIdOf(genesis: JournalEntry): Uint8Array {
  return genesis.body.subarray(0, genesisBodyBytesMin)
}

/** errors  corrupt: the bytes are not an entry; `key` says where they lay */
export function decodeEntry(bytes: Uint8Array, key: string): JournalEntry {
  if (bytes.length < entryHeaderBytes + trailerBytes) throw corruptEntry(key, `it has only ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0) !== magic) throw corruptEntry(key, 'it does not begin like a journal entry of format 1')
  const kind = view.getUint8(4)
  const epoch = Number(view.getBigUint64(8))
  const sequence = Number(view.getBigUint64(16))
  const nowMs = Number(view.getBigUint64(40))
  const clientCount = view.getUint32(52)
  const commandCount = view.getUint32(56)
  const bodyBytes = view.getUint32(60)
  const bodyAt = entryHeaderBytes + clientCount * 16
  if (bodyAt + bodyBytes + trailerBytes !== bytes.length) {
    throw corruptEntry(key, `its parts need ${bodyAt + bodyBytes + trailerBytes} bytes, it has ${bytes.length}`)
  }
  const crc = view.getUint32(bytes.length - trailerBytes)
  if (crc32c(bytes.subarray(0, bytes.length - trailerBytes)) !== crc) throw corruptEntry(key, 'its checksum differs')
  const safe = Number.isSafeInteger(epoch) && Number.isSafeInteger(sequence) && Number.isSafeInteger(nowMs)
  if (!safe || !isBodySizeValid(kind, bodyBytes)) throw corruptEntry(key, 'its header is not valid')
  const clientIds: Uint8Array[] = []
  for (let at = entryHeaderBytes; at < bodyAt; at += 16) clientIds.push(bytes.subarray(at, at + 16))
  return {
    kind,
    epoch,
    sequence,
    writerId: bytes.subarray(24, 40),
    nowMs,
    previousCrc: view.getUint32(48),
    clientIds,
    commandCount,
    body: bytes.subarray(bodyAt, bodyAt + bodyBytes),
    crc,
  }
}

function isBodySizeValid(kind: number, bytes: number): boolean {
  const exceedsBy = (min: number, max: number): boolean => bytes >= min && bytes <= min + max
  if (kind === entryKinds.genesis) return bytes === genesisBodyBytesMin || exceedsBy(32, journalNameBytesMax)
  if (kind === entryKinds.seal) return exceedsBy(sealBodyBytesMin, leaderAddressBytesMax)
  if (kind === entryKinds.move) return exceedsBy(sealBodyBytesMin, journalNameBytesMax)
  return kind === entryKinds.batch
}

/** What comes after the genesis entry; keeps nothing of its bytes. */
export function positionAfterGenesis({ epoch, sequence, crc, writerId, body }: JournalEntry): JournalPosition {
  const journal = decodeIdentity(body.subarray(genesisBodyBytesMin))
  return { epoch, sequence, crc, writerId: new Uint8Array(writerId), leaderAddress: '', journal }
}

const nobody = new Uint8Array(16)

/** What comes after an entry that continues `before`; keeps nothing of its bytes. */
export function positionAfter(entry: JournalEntry, before: JournalPosition, key: string): JournalPosition {
  const { epoch, sequence, crc, body } = entry
  if (entry.kind === entryKinds.batch) return { ...before, sequence, crc }
  const nextEpoch = Number(new DataView(body.buffer, body.byteOffset).getBigUint64(0))
  if (nextEpoch !== epoch + 1) throw corruptEntry(key, `it seals epoch ${epoch} for epoch ${nextEpoch}`)
  if (entry.kind === entryKinds.move) {
    const journal = decodeIdentity(body.subarray(8))
    return { epoch: nextEpoch, sequence, crc, writerId: nobody, leaderAddress: '', journal }
  }
  const writerId = new Uint8Array(body.subarray(8, sealBodyBytesMin))
  const leaderAddress = Buffer.from(body.subarray(sealBodyBytesMin)).toString()
  return { epoch: nextEpoch, sequence, crc, writerId, leaderAddress, journal: before.journal }
}

/** errors  corrupt: the entry does not continue the journal from `position` */
export function checkContinues(entry: JournalEntry, position: JournalPosition, key: string): void {
  if (entry.epoch !== position.epoch || entry.sequence !== position.sequence + 1) {
    throw corruptEntry(key, `it says that it is entry ${entry.sequence} of epoch ${entry.epoch}`)
  }
  if (entry.previousCrc !== position.crc) throw corruptEntry(key, 'it does not continue the entry before it')
  if (entry.kind === entryKinds.genesis) throw corruptEntry(key, 'a genesis entry cannot follow another entry')
  if (entry.kind === entryKinds.batch && !equalBytes(entry.writerId, position.writerId)) {
    throw corruptEntry(key, `it was not written by the leader of epoch ${entry.epoch}`)
  }
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && Buffer.compare(left, right) === 0
}

export function corruptEntry(key: string, problem: string): FloeError {
  return new FloeError(
    'corrupt',
    'journal-entry-corrupt',
    `journal entry ${key} is damaged: ${problem}. Restore it from a copy; Floe does not skip it.`,
    { key },
  )
}
