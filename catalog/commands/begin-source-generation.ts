/**
 * beginSourceGeneration: the source partition is not what it was (its topic was created again, or it was truncated). Its account
 * is closed as it stands, and a fresh one begins elsewhere. docs/design/0002-source-generations.md
 *
 *   table id, partition, owner epoch, has topic id, [16 bytes], start, expected end
 */
import { FloeError } from '../../core/errors.ts'
import type { BeginSourceGeneration, BeginSourceGenerationResult } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { closedGenerationsPerTableMax, sourcePartitionsMax } from '../limits.ts'
import { accountFlags } from '../state/source-accounts.ts'
import { type Command, checkCount, expectEnd, offsetNumber, uuidBytes } from './command.ts'

/** Persisted in receipts. */
const outcomes = { begun: 0, fenced: 1, endDiffers: 2, tooMany: 3, unknownTable: 4 } as const

export const beginSourceGeneration: Command<BeginSourceGeneration, BeginSourceGenerationResult> = {
  id: commandIds.beginSourceGeneration,
  name: 'beginSourceGeneration',

  encode(writer, { tableId, partition, ownerEpoch, topicId, start, expectedEnd }) {
    checkCount(partition, sourcePartitionsMax - 1, 'source partition')
    checkCount(ownerEpoch, Number.MAX_SAFE_INTEGER, 'owner epoch')
    const bytes = topicId === undefined ? undefined : uuidBytes(topicId)
    if (topicId !== undefined && bytes === undefined) {
      throw new FloeError('invalid', 'topic-id-invalid', `topic id ${JSON.stringify(topicId)} is no UUID`)
    }
    const startNumber = offsetNumber(start, 'start of the generation')
    const endNumber = offsetNumber(expectedEnd, 'expected end')
    checkCount(startNumber, Number.MAX_SAFE_INTEGER, 'start of the generation')
    checkCount(endNumber, Number.MAX_SAFE_INTEGER, 'expected end')
    writer.uvarint(tableId)
    writer.uvarint(partition)
    writer.uvarint(ownerEpoch)
    writer.bool(bytes !== undefined)
    if (bytes !== undefined) writer.raw(bytes)
    writer.uvarint(startNumber)
    writer.uvarint(endNumber)
  },

  apply(state, reader, out) {
    const table = state.tables.byId(reader.uvarint())
    const partition = reader.uvarint()
    const ownerEpoch = reader.uvarint()
    const topicId = reader.bool() ? reader.raw(16) : undefined
    const start = reader.uvarint()
    const expectedEnd = reader.uvarint()
    expectEnd(reader)
    if (table === undefined) return out.uint8(outcomes.unknownTable)
    const { accounts, generations } = table
    const owner = partition < accounts.length ? accounts.ownerEpochs[partition]! : 0
    if (owner === 0 || owner !== ownerEpoch) {
      out.uint8(outcomes.fenced)
      return out.uvarint(owner)
    }
    const isBegun = (accounts.flags[partition]! & accountFlags.begun) !== 0
    if (!isBegun || accounts.ends[partition] !== expectedEnd) {
      out.uint8(outcomes.endDiffers)
      out.bool(isBegun)
      return out.uvarint(accounts.ends[partition]!)
    }
    if (generations.length >= closedGenerationsPerTableMax) return out.uint8(outcomes.tooMany)
    generations.add(accounts, partition, table.fileSequence, table.deadLetters.length, state.nowMs)
    accounts.begin(partition, start, topicId)
    out.uint8(outcomes.begun)
    out.uvarint(generations.countOf(partition) + 1)
  },

  decodeResult(reader) {
    const outcome = reader.uint8()
    if (outcome === outcomes.begun) return { outcome: 'begun', generation: reader.uvarint() }
    if (outcome === outcomes.fenced) return { outcome: 'fenced', ownerEpoch: reader.uvarint() }
    if (outcome === outcomes.endDiffers) {
      const isBegun = reader.bool()
      const end = BigInt(reader.uvarint())
      return { outcome: 'end-differs', expected: isBegun ? end : -1n }
    }
    return { outcome: outcome === outcomes.tooMany ? 'too-many-generations' : 'unknown-table' }
  },
}
