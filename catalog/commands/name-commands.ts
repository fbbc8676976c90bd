/** openSession, allocateProducerIds, grantNames, forgetGarbage. */
import { FloeError } from '../../core/errors.ts'
import type { GrantPurpose, NameGrant } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { grantTtlMsMax, namesPerGrantMax, producerIdBlockMax } from '../limits.ts'
import { grantPurposes } from '../state/name-grants.ts'
import { type Command, checkCount, expectEnd } from './command.ts'

/** Must be a client's first request. The session itself is opened where commands are dispatched (apply-batch.ts). */
export const openSession: Command<undefined, undefined> = {
  id: commandIds.openSession,
  name: 'openSession',
  encode() {},
  apply(_state, reader) {
    expectEnd(reader)
  },
  decodeResult: () => undefined,
}

export const allocateProducerIds: Command<number, { readonly first: bigint; readonly count: number }> = {
  id: commandIds.allocateProducerIds,
  name: 'allocateProducerIds',
  encode(writer, count) {
    checkCount(count, producerIdBlockMax, 'number of producer ids', 1)
    writer.uvarint(count)
  },
  apply(state, reader, out) {
    const count = reader.uvarint()
    expectEnd(reader)
    checkCount(count, producerIdBlockMax, 'number of producer ids', 1)
    out.uvarint(state.producers.allocate(count))
    out.uvarint(count)
  },
  decodeResult: reader => ({ first: BigInt(reader.uvarint()), count: reader.uvarint() }),
}

export interface GrantNamesArguments {
  readonly purpose: GrantPurpose
  readonly count: number
  readonly ttlMs: number
  /** Narrows where an uncommitted data file is looked for; undefined: any table. */
  readonly tableId: number | undefined
}

export const grantNames: Command<GrantNamesArguments, NameGrant> = {
  id: commandIds.grantNames,
  name: 'grantNames',
  encode(writer, { purpose, count, ttlMs, tableId }) {
    checkCount(count, namesPerGrantMax, 'number of names', 1)
    checkCount(ttlMs, grantTtlMsMax, 'time to live in milliseconds', 1)
    writer.uint8(grantPurposes[purpose])
    writer.uvarint(count)
    writer.uvarint(ttlMs)
    writer.uvarint(tableId ?? 0)
  },
  apply(state, reader, out) {
    const purpose = reader.uint8()
    const count = reader.uvarint()
    const ttlMs = reader.uvarint()
    const tableId = reader.uvarint()
    expectEnd(reader)
    checkCount(purpose, 1, 'grant purpose')
    checkCount(count, namesPerGrantMax, 'number of names', 1)
    checkCount(ttlMs, grantTtlMsMax, 'time to live in milliseconds', 1)
    if (tableId !== 0 && state.tables.byId(tableId) === undefined) {
      throw new FloeError('invalid', 'unknown-table', `there is no table ${tableId}`)
    }
    const deadlineMs = state.nowMs + ttlMs
    out.uvarint(state.grants.grant(purpose, count, tableId, deadlineMs))
    out.uvarint(count)
    out.uvarint(deadlineMs)
  },
  decodeResult: reader => ({ grantId: reader.uvarint(), count: reader.uvarint(), deadlineMs: reader.uvarint() }),
}

/** Resolves to how many were known. */
export const forgetGarbage: Command<readonly number[], number> = {
  id: commandIds.forgetGarbage,
  name: 'forgetGarbage',
  encode(writer, garbageIds) {
    writer.uvarint(garbageIds.length)
    for (const garbageId of garbageIds) {
      checkCount(garbageId, Number.MAX_SAFE_INTEGER, 'garbage id')
      writer.uvarint(garbageId)
    }
  },
  apply(state, reader, out) {
    const garbageIds: number[] = []
    const count = reader.boundedCount()
    for (let index = 0; index < count; index++) garbageIds.push(reader.uvarint())
    expectEnd(reader)
    let forgotten = 0
    for (const garbageId of garbageIds) if (state.garbage.forget(garbageId)) forgotten++
    out.uvarint(forgotten)
  },
  decodeResult: reader => reader.uvarint(),
}
