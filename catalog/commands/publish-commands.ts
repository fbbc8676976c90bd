/**
 * beginPublish, completePublish. A version is fixed before anything of it is written, so rendering it again gives the same
 * bytes; it becomes visible when its objects exist.
 */
import type { PendingVersion, PublishedVersion } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { accountFlags } from '../state/source-accounts.ts'
import type { PendingState } from '../state/table-versions.ts'
import type { TableState } from '../state/tables.ts'
import { type Command, expectEnd } from './command.ts'
import { readPending, readPublished, toPublished, writePending, writePublished } from './table-result-codec.ts'

export const beginPublish: Command<number, PendingVersion | undefined | 'unknown-table'> = {
  id: commandIds.beginPublish,
  name: 'beginPublish',
  encode(writer, tableId) {
    writer.uvarint(tableId)
  },
  apply(state, reader, out) {
    const table = state.tables.byId(reader.uvarint())
    expectEnd(reader)
    if (table === undefined) return out.uint8(1)
    table.versions.pending ??= nextVersion(table, state.nowMs)
    if (table.versions.pending === undefined) return out.uint8(2)
    out.uint8(0)
    writePending(out, table.uuidBytes, table.versions.pending)
  },
  decodeResult(reader) {
    const outcome = reader.uint8()
    return outcome === 0 ? readPending(reader) : outcome === 1 ? 'unknown-table' : undefined
  },
}

/** Version 0 makes the empty table; after it there is one whenever files wait. */
function nextVersion(table: TableState, nowMs: number): PendingState | undefined {
  const { last } = table.versions
  if (last === undefined) {
    return {
      version: 0,
      timestampMs: nowMs,
      fileSequenceAfter: 0,
      fileSequenceUpTo: 0,
      rowCount: 0,
      partitions: new Uint32Array(0),
      starts: new Float64Array(0),
      ends: new Float64Array(0),
    }
  }
  if (table.fileSequence === last.fileSequence) return undefined
  return {
    version: last.version + 1,
    timestampMs: Math.max(nowMs, last.timestampMs + 1),
    fileSequenceAfter: last.fileSequence,
    fileSequenceUpTo: table.fileSequence,
    rowCount: table.rowCount,
    ...progressOf(table),
  }
}

/** The offsets of every generation: closed ones in the order of their ending, then those that go on. */
function progressOf({ accounts, generations }: TableState): Pick<PendingState, 'partitions' | 'starts' | 'ends'> {
  const begun: number[] = []
  for (let partition = 0; partition < accounts.length; partition++) {
    if ((accounts.flags[partition]! & accountFlags.begun) !== 0) begun.push(partition)
  }
  const closed = generations.length
  const partitions = new Uint32Array(closed + begun.length)
  const starts = new Float64Array(closed + begun.length)
  const ends = new Float64Array(closed + begun.length)
  partitions.set(generations.partitions.subarray(0, closed))
  starts.set(generations.starts.subarray(0, closed))
  ends.set(generations.ends.subarray(0, closed))
  for (const [index, partition] of begun.entries()) {
    partitions[closed + index] = partition
    starts[closed + index] = accounts.starts[partition]!
    ends[closed + index] = accounts.ends[partition]!
  }
  return { partitions, starts, ends }
}

export interface CompletePublishArguments {
  readonly tableId: number
  readonly version: number
  readonly icebergMetadataPath: string
}

export const completePublish: Command<CompletePublishArguments, PublishedVersion | 'unknown-table' | 'not-pending'> = {
  id: commandIds.completePublish,
  name: 'completePublish',
  encode(writer, { tableId, version, icebergMetadataPath }) {
    writer.uvarint(tableId)
    writer.uvarint(version)
    writer.sizedString(icebergMetadataPath)
  },
  apply(state, reader, out) {
    const table = state.tables.byId(reader.uvarint())
    const version = reader.uvarint()
    const icebergMetadataPath = reader.sizedString()
    expectEnd(reader)
    if (table === undefined) return out.uint8(1)
    const { versions } = table
    const { pending } = versions
    let published = versions.find(version)
    if (published === undefined) {
      if (pending?.version !== version) return out.uint8(2)
      const { timestampMs, fileSequenceUpTo: fileSequence, rowCount } = pending
      published = { version, timestampMs, fileSequence, rowCount, icebergMetadataPath, completedMs: state.nowMs }
      versions.add(published)
      versions.pending = undefined
    }
    out.uint8(0)
    out.raw(table.uuidBytes)
    writePublished(out, published)
  },
  decodeResult(reader) {
    const outcome = reader.uint8()
    if (outcome !== 0) return outcome === 1 ? 'unknown-table' : 'not-pending'
    const tableUuid = reader.raw(16)
    return toPublished(tableUuid, readPublished(reader))
  },
}
