/**
 * commitTableFiles: files, dead letters and the exact offset ranges they account for, everything or nothing.
 *
 *   table id
 *   coverage count, per range: partition, has topic id, [16 bytes], start, length (end - start), written, filtered, rejected,
 *                              control, gap, max timestamp (zigzag), owner epoch
 *   file count, per file: grant id, name index, record count, file bytes, details length, details (data-file-codec.ts)
 *   dead letter file count, per file: grant id, name index, record count, file bytes
 *
 * This is the catalog's hottest command: it is decoded into a scratch array of numbers, checked there, and only then added to
 * the columns; the details are copied into the arena as they came, unread.
 */
import type { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import { FloeError } from '../../core/errors.ts'
import type { CommitTableFiles, CommitTableFilesResult, CoverageRange } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { writeDataFileDetails } from '../data-file-codec.ts'
import { filesPerCommitMax, sourcePartitionsMax } from '../limits.ts'
import type { CatalogState } from '../state/catalog-state.ts'
import { growFloat64, nextCapacity } from '../state/columns.ts'
import { grantPurposes } from '../state/name-grants.ts'
import { accountFlags } from '../state/source-accounts.ts'
import type { TableState } from '../state/tables.ts'
import { type Command, checkCount, expectEnd, offsetNumber, uuidBytes } from './command.ts'

/** Persisted in receipts. */
const outcomes = { committed: 0, coverageGap: 1, fenced: 2, grantExpired: 3, invalid: 4, unknownTable: 5 } as const

const detailsLengthBytes = 4

export const commitTableFiles: Command<CommitTableFiles, CommitTableFilesResult> = {
  id: commandIds.commitTableFiles,
  name: 'commitTableFiles',

  encode(writer, { tableId, files, deadLetterFiles, coverage }) {
    writer.uvarint(tableId)
    checkCount(coverage.length, sourcePartitionsMax, 'number of ranges')
    checkCount(files.length + deadLetterFiles.length, filesPerCommitMax, 'number of files')
    writer.uvarint(coverage.length)
    for (let index = 0; index < coverage.length; index++) writeRange(writer, coverage[index]!)
    writer.uvarint(files.length)
    for (let index = 0; index < files.length; index++) {
      const file = files[index]!
      writeName(writer, file.grantId, file.nameIndex, file.recordCount, file.fileBytes)
      const lengthAt = writer.length
      writer.uint32(0)
      writeDataFileDetails(writer, file)
      writer.setUint32At(lengthAt, writer.length - lengthAt - detailsLengthBytes)
    }
    writer.uvarint(deadLetterFiles.length)
    for (const { grantId, nameIndex, recordCount, fileBytes } of deadLetterFiles) {
      writeName(writer, grantId, nameIndex, recordCount, fileBytes)
    }
  },

  apply(state, reader, out) {
    const tableId = reader.uvarint()
    decode(reader)
    expectEnd(reader)
    const table = state.tables.byId(tableId)
    if (table === undefined) return out.uint8(outcomes.unknownTable)
    if (!checkCoverage(table, out) || !checkSums(out) || !useNames(state, out)) return
    addCoverage(table)
    addFiles(state, table, reader.bytes)
    out.uint8(outcomes.committed)
    out.uvarint(table.fileSequence)
  },

  decodeResult(reader) {
    const outcome = reader.uint8()
    if (outcome === outcomes.committed) return { outcome: 'committed', fileSequence: reader.uvarint() }
    if (outcome === outcomes.coverageGap) {
      return { outcome: 'coverage-gap', partition: reader.uvarint(), expected: BigInt(reader.uvarint()) }
    }
    if (outcome === outcomes.fenced) {
      return { outcome: 'fenced', partition: reader.uvarint(), ownerEpoch: reader.uvarint() }
    }
    if (outcome === outcomes.grantExpired) return { outcome: 'grant-expired', grantId: reader.uvarint() }
    if (outcome === outcomes.invalid) return { outcome: 'invalid', reason: reader.sizedString() }
    return { outcome: 'unknown-table' }
  },
}

function writeRange(writer: ByteWriter, range: CoverageRange): void {
  const start = offsetNumber(range.start, 'start of the range')
  const end = offsetNumber(range.end, 'end of the range')
  const topicId = range.topicId === undefined ? undefined : uuidBytes(range.topicId)
  if (range.topicId !== undefined && topicId === undefined) {
    throw new FloeError('invalid', 'topic-id-invalid', `topic id ${JSON.stringify(range.topicId)} is no UUID`)
  }
  checkCount(range.partition, sourcePartitionsMax - 1, 'source partition')
  checkCount(start, Number.MAX_SAFE_INTEGER, 'start of the range')
  checkCount(end - start, Number.MAX_SAFE_INTEGER, 'length of the range')
  checkCount(range.written, Number.MAX_SAFE_INTEGER, 'written')
  checkCount(range.filtered, Number.MAX_SAFE_INTEGER, 'filtered')
  checkCount(range.rejected, Number.MAX_SAFE_INTEGER, 'rejected')
  checkCount(range.control, Number.MAX_SAFE_INTEGER, 'control')
  writer.uvarint(range.partition)
  writer.bool(topicId !== undefined)
  if (topicId !== undefined) writer.raw(topicId)
  writer.uvarint(start)
  writer.uvarint(end - start)
  writer.uvarint(range.written)
  writer.uvarint(range.filtered)
  writer.uvarint(range.rejected)
  writer.uvarint(range.control)
  writer.uvarint(offsetNumber(range.gap < 0n ? 2n ** 60n : range.gap, 'gap'))
  writer.varint(Math.max(-1, Math.min(2 ** 51, Math.trunc(range.maxTimestampMs))))
  checkCount(range.ownerEpoch, Number.MAX_SAFE_INTEGER, 'owner epoch')
  writer.uvarint(range.ownerEpoch)
}

function writeName(
  writer: ByteWriter,
  grantId: number,
  nameIndex: number,
  recordCount: number,
  fileBytes: number,
): void {
  checkCount(grantId, Number.MAX_SAFE_INTEGER, 'grant id')
  checkCount(nameIndex, 0xffff_ffff, 'name index')
  checkCount(recordCount, Number.MAX_SAFE_INTEGER, 'record count')
  checkCount(fileBytes, Number.MAX_SAFE_INTEGER, 'file bytes')
  writer.uvarint(grantId)
  writer.uvarint(nameIndex)
  writer.uvarint(recordCount)
  writer.uvarint(fileBytes)
}

// ── Scratch: the command being applied. Valid from decode() to the end of apply(), which is synchronous. ──────────────

const rangeStride = 12
const fileStride = 6
let scratch = new Float64Array(1024)
let rangeCount = 0
let fileCount = 0
let deadLetterFileCount = 0
/** Where files and dead letter files begin in scratch. */
let filesAt = 0
let deadLettersAt = 0
/** Per range where its topic id lies in the reader's bytes, -1 for none, is scratch column 11. */
let topicIdBytes: Uint8Array = new Uint8Array(0)

function reserveScratch(length: number): void {
  if (length > scratch.length) scratch = growFloat64(scratch, nextCapacity(scratch.length, length))
}

function decode(reader: ByteReader): void {
  topicIdBytes = reader.bytes
  rangeCount = reader.boundedCount(11)
  filesAt = rangeCount * rangeStride
  reserveScratch(filesAt)
  const ranges = scratch
  for (let at = 0; at < filesAt; at += rangeStride) {
    ranges[at] = reader.uvarint()
    const hasTopicId = reader.bool()
    ranges[at + 11] = hasTopicId ? reader.offset : -1
    if (hasTopicId) skip(reader, 16)
    ranges[at + 1] = reader.uvarint()
    ranges[at + 2] = reader.uvarint()
    ranges[at + 3] = reader.uvarint()
    ranges[at + 4] = reader.uvarint()
    ranges[at + 5] = reader.uvarint()
    ranges[at + 6] = reader.uvarint()
    ranges[at + 7] = reader.uvarint()
    ranges[at + 8] = reader.varint()
    ranges[at + 9] = reader.uvarint()
  }
  fileCount = reader.boundedCount(8)
  deadLettersAt = filesAt + fileCount * fileStride
  reserveScratch(deadLettersAt)
  const files = scratch
  for (let at = filesAt; at < deadLettersAt; at += fileStride) {
    files[at] = reader.uvarint()
    files[at + 1] = reader.uvarint()
    files[at + 2] = reader.uvarint()
    files[at + 3] = reader.uvarint()
    const length = reader.uint32()
    files[at + 4] = reader.offset
    files[at + 5] = length
    skip(reader, length)
  }
  deadLetterFileCount = reader.boundedCount(4)
  const end = deadLettersAt + deadLetterFileCount * fileStride
  reserveScratch(end)
  const deadLetters = scratch
  for (let at = deadLettersAt; at < end; at += fileStride) {
    deadLetters[at] = reader.uvarint()
    deadLetters[at + 1] = reader.uvarint()
    deadLetters[at + 2] = reader.uvarint()
    deadLetters[at + 3] = reader.uvarint()
  }
}

function skip(reader: ByteReader, count: number): void {
  if (count > reader.remaining) throw reader.corrupt(`needs ${count} bytes, ${reader.remaining} are left`)
  reader.offset += count
}

function refuseInvalid(out: ByteWriter, reason: string): false {
  out.uint8(outcomes.invalid)
  out.sizedString(reason)
  return false
}

/** Owner, start and sum of every range. */
function checkCoverage({ accounts }: TableState, out: ByteWriter): boolean {
  const numbers = scratch
  const visit = accounts.startVisit()
  for (let at = 0; at < filesAt; at += rangeStride) {
    const partition = numbers[at]!
    const ownerEpoch = partition < accounts.length ? accounts.ownerEpochs[partition]! : 0
    if (ownerEpoch === 0 || ownerEpoch !== numbers[at + 9]) {
      out.uint8(outcomes.fenced)
      out.uvarint(partition)
      out.uvarint(ownerEpoch)
      return false
    }
    if (accounts.visits[partition] === visit) return refuseInvalid(out, `partition ${partition} has two ranges`)
    accounts.visits[partition] = visit
    const flags = accounts.flags[partition]!
    if ((flags & accountFlags.begun) !== 0) {
      if (!sameTopicId(accounts.topicIds, partition * 16, (flags & accountFlags.hasTopicId) !== 0, numbers[at + 11]!)) {
        return refuseInvalid(out, `topic was recreated: the topic id of partition ${partition} changed`)
      }
      if (accounts.ends[partition] !== numbers[at + 1]) {
        out.uint8(outcomes.coverageGap)
        out.uvarint(partition)
        out.uvarint(accounts.ends[partition]!)
        return false
      }
    }
    const sum = numbers[at + 3]! + numbers[at + 4]! + numbers[at + 5]! + numbers[at + 6]! + numbers[at + 7]!
    if (sum !== numbers[at + 2]) {
      return refuseInvalid(
        out,
        `partition ${partition}: written + filtered + rejected + control + gap is ${sum}, the range has ${numbers[at + 2]} offsets`,
      )
    }
    if (numbers[at + 1]! + numbers[at + 2]! > Number.MAX_SAFE_INTEGER) {
      return refuseInvalid(out, `partition ${partition}: the range ends beyond 2^53`)
    }
  }
  return true
}

/** A known id must stay; one that becomes known later, or is no longer told, does not tell another topic. */
function sameTopicId(known: Uint8Array, knownAt: number, hasKnown: boolean, foundAt: number): boolean {
  if (!hasKnown || foundAt < 0) return true
  for (let index = 0; index < 16; index++) if (known[knownAt + index] !== topicIdBytes[foundAt + index]) return false
  return true
}

/** Rows of the files are the rows written; dead letters are at most the records rejected. */
function checkSums(out: ByteWriter): boolean {
  const numbers = scratch
  let written = 0
  let rejected = 0
  for (let at = 0; at < filesAt; at += rangeStride) {
    written += numbers[at + 3]!
    rejected += numbers[at + 5]!
  }
  let rows = 0
  for (let at = filesAt; at < deadLettersAt; at += fileStride) rows += numbers[at + 2]!
  if (rows !== written) return refuseInvalid(out, `the files have ${rows} rows, the ranges ${written} written records`)
  let deadLetters = 0
  const end = deadLettersAt + deadLetterFileCount * fileStride
  for (let at = deadLettersAt; at < end; at += fileStride) deadLetters += numbers[at + 2]!
  if (deadLetters > rejected) {
    return refuseInvalid(out, `there are ${deadLetters} dead letters, but only ${rejected} rejected records`)
  }
  return true
}

/** All names or none. */
function useNames({ grants, nowMs }: CatalogState, out: ByteWriter): boolean {
  const numbers = scratch
  const end = deadLettersAt + deadLetterFileCount * fileStride
  for (let at = filesAt; at < end; at += fileStride) {
    if (grants.use(grantPurposes['data-file'], numbers[at]!, numbers[at + 1]!, nowMs)) continue
    for (let undo = filesAt; undo < at; undo += fileStride) grants.unuse(numbers[undo]!, numbers[undo + 1]!)
    out.uint8(outcomes.grantExpired)
    out.uvarint(numbers[at]!)
    return false
  }
  return true
}

function addCoverage({ accounts }: TableState): void {
  const numbers = scratch
  for (let at = 0; at < filesAt; at += rangeStride) {
    const partition = numbers[at]!
    const topicIdAt = numbers[at + 11]!
    if ((accounts.flags[partition]! & accountFlags.begun) === 0) {
      accounts.starts[partition] = numbers[at + 1]!
      accounts.maxTimestampsMs[partition] = -1
      accounts.flags[partition]! |= accountFlags.begun
    }
    if (topicIdAt >= 0 && (accounts.flags[partition]! & accountFlags.hasTopicId) === 0) {
      accounts.topicIds.set(topicIdBytes.subarray(topicIdAt, topicIdAt + 16), partition * 16)
      accounts.flags[partition]! |= accountFlags.hasTopicId
    }
    accounts.ends[partition] = numbers[at + 1]! + numbers[at + 2]!
    accounts.written[partition]! += numbers[at + 3]!
    accounts.filtered[partition]! += numbers[at + 4]!
    accounts.rejected[partition]! += numbers[at + 5]!
    accounts.control[partition]! += numbers[at + 6]!
    accounts.gaps[partition]! += numbers[at + 7]!
    if (numbers[at + 8]! > accounts.maxTimestampsMs[partition]!) accounts.maxTimestampsMs[partition] = numbers[at + 8]!
  }
}

function addFiles(state: CatalogState, table: TableState, bytes: Uint8Array): void {
  const numbers = scratch
  const { files, deadLetters } = table
  if (fileCount > 0) {
    table.fileSequence++
    state.commitPosition++
  }
  for (let at = filesAt; at < deadLettersAt; at += fileStride) {
    const recordCount = numbers[at + 2]!
    const detailsAt = numbers[at + 4]!
    const full = files.add(
      numbers[at]!,
      numbers[at + 1]!,
      recordCount,
      numbers[at + 3]!,
      table.fileSequence,
      bytes,
      detailsAt,
      detailsAt + numbers[at + 5]!,
    )
    if (full !== undefined) state.tables.unpackedBlocks.push(full)
    table.rowCount += recordCount
    table.fileBytes += numbers[at + 3]!
  }
  const end = deadLettersAt + deadLetterFileCount * fileStride
  for (let at = deadLettersAt; at < end; at += fileStride) {
    deadLetters.add(numbers[at]!, numbers[at + 1]!, numbers[at + 2]!, numbers[at + 3]!, state.nowMs)
    table.deadLetterCount += numbers[at + 2]!
  }
}
