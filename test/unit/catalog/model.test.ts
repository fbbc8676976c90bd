/**
 * The catalog against plain models: random commands, the same outcome and the same visible state after each, with the state
 * sent through a snapshot now and then.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyBatch, BatchAnswers } from '../../../catalog/apply-batch.ts'
import type { CommitTableFilesResult, SegmentBatch, SegmentBatchResult } from '../../../catalog/client.ts'
import { beginSourceGeneration } from '../../../catalog/commands/begin-source-generation.ts'
import { type Command, readAnswer } from '../../../catalog/commands/command.ts'
import { commitSegment } from '../../../catalog/commands/commit-segment.ts'
import { commitTableFiles } from '../../../catalog/commands/commit-table-files.ts'
import { allocateProducerIds, grantNames, openSession } from '../../../catalog/commands/name-commands.ts'
import { claimSourcePartitions, createTable } from '../../../catalog/commands/table-commands.ts'
import { advanceLogStart, createTopic } from '../../../catalog/commands/topic-commands.ts'
import { OpenBatch } from '../../../catalog/journal/open-batch.ts'
import { findRuns } from '../../../catalog/queries/log-queries.ts'
import {
  closedGenerations,
  garbageObjects,
  sourceCoverage,
  tableFiles,
} from '../../../catalog/queries/table-queries.ts'
import { SnapshotReader } from '../../../catalog/snapshot/snapshot-reader.ts'
import { cutChunks, SnapshotWriter } from '../../../catalog/snapshot/snapshot-writer.ts'
import { CatalogState } from '../../../catalog/state/catalog-state.ts'
import { ByteReader } from '../../../core/byte-reader.ts'
import { ByteWriter } from '../../../core/byte-writer.ts'
import { formatUuid } from '../../../core/random.ts'
import { pendingCommand } from '../../support/pending-command.ts'
import { dataFile, range, tableDefinition } from './catalog-fixture.ts'

const nowMs = 1_800_000_000_000
const topicBytes = new Uint8Array(16).fill(4)
const topicId = formatUuid(topicBytes)

/** Applies single commands to a state, which can be sent through a snapshot. */
class Machine {
  state = new CatalogState(new Uint8Array(16), nowMs)
  #requestNumber = 0

  run<Arguments, Result>(command: Command<Arguments, Result>, args: Arguments): Result {
    const batch = new OpenBatch(new ByteWriter())
    batch.add(pendingCommand(topicBytes, ++this.#requestNumber, command, args))
    const out = new ByteWriter()
    const body = { nowMs, clientIds: batch.clientIds, commandCount: 1, bytes: batch.body.view() }
    applyBatch(this.state, body, out, new BatchAnswers())
    const answer = readAnswer(new ByteReader(out.view(), 'answer'), command)
    if (answer instanceof Error) throw answer
    return answer
  }

  /** In chunks small enough for values to straddle their borders. */
  throughSnapshot(chunkBytes: number): void {
    const writer = SnapshotWriter.forSnapshot()
    this.state.encode(writer)
    const chunks = cutChunks(writer.finish().pieces, chunkBytes).map(parts => new Uint8Array(Buffer.concat(parts)))
    const hash = this.state.hash()
    this.state = CatalogState.decode(new SnapshotReader(chunks, 'test'))
    expect(this.state.hash()).toBe(hash)
  }
}

// ── Segments and producers ───────────────────────────────────────────────────────────────────────────────────────────

interface ModelRun {
  readonly segment: number
  readonly byteOffset: number
  byteLength: number
  readonly base: number
  end: number
}

class ModelLog {
  start = 0
  end = 0
  runs: ModelRun[] = []
  readonly producers = new Map<number, { epoch: number; batches: { first: number; last: number; base: number }[] }>()

  produce(batch: SegmentBatch, segment: number): string {
    const producer = Number(batch.producerId)
    if (producer >= 0) {
      const verdict = this.#judge(producer, batch)
      if (verdict !== undefined) return verdict
    }
    const base = this.end
    this.end += batch.offsetCount
    const last = this.runs.at(-1)
    if (last?.segment === segment && last.byteOffset + last.byteLength === batch.byteOffset) {
      last.byteLength += batch.byteLength
      last.end = this.end
    } else {
      this.runs.push({ segment, byteOffset: batch.byteOffset, byteLength: batch.byteLength, base, end: this.end })
    }
    if (producer >= 0) {
      const known = this.producers.get(producer)
      const batches = known?.epoch === batch.producerEpoch ? known.batches : []
      const first = batch.baseSequence
      batches.push({ first, last: first + batch.offsetCount - 1, base })
      this.producers.set(producer, { epoch: batch.producerEpoch, batches: batches.slice(-5) })
    }
    return `appended ${base}`
  }

  #judge(producer: number, { producerEpoch, baseSequence, offsetCount }: SegmentBatch): string | undefined {
    const known = this.producers.get(producer)
    if (known === undefined) return undefined
    if (producerEpoch < known.epoch) return 'invalid-producer-epoch'
    if (producerEpoch > known.epoch) return baseSequence === 0 ? undefined : 'out-of-order-sequence'
    const last = baseSequence + offsetCount - 1
    const same = known.batches.find(batch => batch.first === baseSequence && batch.last === last)
    if (same !== undefined) return `duplicate ${same.base}`
    return baseSequence === known.batches.at(-1)!.last + 1 ? undefined : 'out-of-order-sequence'
  }

  advance(offset: number): string {
    if (offset > this.end) return 'offset-out-of-range'
    this.start = Math.max(this.start, offset)
    this.runs = this.runs.filter(run => run.end > this.start)
    return `advanced ${this.start}`
  }
}

const producedBatch = fc.record({
  partition: fc.nat(2),
  offsetCount: fc.integer({ min: 1, max: 3 }),
  gapBytes: fc.constantFrom(0, 0, 0, 5),
  producer: fc.integer({ min: -1, max: 1 }),
  epoch: fc.nat(1),
  /** How far from the sequence that would be next. */
  drift: fc.constantFrom(0, 0, 0, 0, -1, -2, -3, -5, 1),
})

const logOperation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('segment' as const), batches: fc.array(producedBatch, { maxLength: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), partition: fc.nat(1), offset: fc.nat(30) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('snapshot' as const), chunkBytes: fc.integer({ min: 1, max: 5000 }) }),
  },
)

test('segments and producers behave like a list of batches', () => {
  fc.assert(
    fc.property(fc.array(logOperation, { maxLength: 40 }), operations => {
      const machine = new Machine()
      machine.run(openSession, undefined)
      machine.run(createTopic, { topicId: topicBytes, name: 'orders', partitionCount: 2, configs: {} })
      machine.run(grantNames, { purpose: 'segment', count: 1000, ttlMs: 1000, tableId: undefined })
      machine.run(allocateProducerIds, 2)
      const logs = [new ModelLog(), new ModelLog()]
      const nextSequence = new Map<string, number>()
      let segment = 0
      for (const operation of operations) {
        if (operation.kind === 'snapshot') machine.throughSnapshot(operation.chunkBytes)
        else if (operation.kind === 'advance') {
          const { partition, offset } = operation
          const result = machine.run(advanceLogStart, { topicId, partition, offset: BigInt(offset) })
          const found = result.outcome === 'advanced' ? `advanced ${result.logStartOffset}` : result.outcome
          expect(found).toBe(logs[partition]!.advance(offset))
        } else {
          let byteOffset = 0
          const batches: SegmentBatch[] = []
          const expected: string[] = []
          for (const { partition, offsetCount, gapBytes, producer, epoch, drift } of operation.batches) {
            const key = `${partition} ${producer} ${epoch}`
            const next = nextSequence.get(key) ?? 0
            const baseSequence = producer < 0 ? -1 : Math.max(0, next + drift)
            byteOffset += gapBytes
            const batch: SegmentBatch = {
              topicId,
              partition,
              byteOffset,
              byteLength: 10,
              offsetCount,
              maxTimestampMs: 5,
              producerId: BigInt(producer),
              producerEpoch: producer < 0 ? -1 : epoch,
              baseSequence,
            }
            byteOffset += 10
            batches.push(batch)
            const outcome = logs[partition]?.produce(batch, segment) ?? 'unknown-topic-or-partition'
            if (outcome.startsWith('appended') && producer >= 0) nextSequence.set(key, baseSequence + offsetCount)
            expected.push(outcome)
          }
          const result = machine.run(commitSegment, { grantId: 1, nameIndex: segment, segmentBytes: 1000, batches })
          if (result.outcome !== 'committed') throw new Error(result.outcome)
          expect(result.batches.map(describe)).toEqual(expected)
          segment++
        }
        checkLogs(machine.state, logs, segment)
      }
    }),
    { numRuns: 150 },
  )
})

function describe(result: SegmentBatchResult): string {
  return 'baseOffset' in result ? `${result.outcome} ${result.baseOffset}` : result.outcome
}

function checkLogs(state: CatalogState, logs: readonly ModelLog[], segmentCount: number): void {
  const live = new Set<number>()
  for (const [partition, log] of logs.entries()) {
    const runs = findRuns(state, topicId, partition, BigInt(log.start), Number.MAX_SAFE_INTEGER)
    const found = runs.map(run => [run.byteOffset, run.byteLength, Number(run.baseOffset), Number(run.endOffset)])
    expect(found).toEqual(log.runs.map(run => [run.byteOffset, run.byteLength, run.base, run.end]))
    for (const run of log.runs) live.add(run.segment)
  }
  expect(state.objects.count).toBe(live.size)
  const garbage = garbageObjects(state, nowMs + 1, 10_000, 0).map(({ keys }) =>
    Number(/-(\d+)\.log$/.exec(keys[0]!)![1]),
  )
  const dead = Array.from({ length: segmentCount }, (_, segment) => segment).filter(segment => !live.has(segment))
  expect(garbage.sort((left, right) => left - right)).toEqual(dead)
}

// ── Coverage ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const coverageOperation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      ranges: fc.array(
        fc.record({
          partition: fc.nat(2),
          drift: fc.constantFrom(0n, 0n, 0n, 0n, 1n, -1n),
          staleOwner: fc.constantFrom(false, false, false, true),
          written: fc.nat(4),
          filtered: fc.nat(2),
          surplus: fc.constantFrom(0n, 0n, 0n, 1n),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      missingRows: fc.constantFrom(0, 0, 0, 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('claim' as const), partition: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('generation' as const),
      partition: fc.nat(2),
      start: fc.bigInt({ min: 0n, max: 9n }),
      drift: fc.constantFrom(0n, 0n, 0n, 1n),
      staleOwner: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('snapshot' as const), chunkBytes: fc.integer({ min: 1, max: 5000 }) }),
  },
)

interface ModelAccount {
  epoch: number
  start: bigint | undefined
  end: bigint
  written: bigint
  filtered: bigint
}

test('coverage grows without gap or overlap, by its owner only, everything or nothing', () => {
  fc.assert(
    fc.property(fc.array(coverageOperation, { maxLength: 40 }), operations => {
      const machine = new Machine()
      machine.run(openSession, undefined)
      machine.run(createTable, { tableUuid: topicBytes, definition: tableDefinition() })
      machine.run(grantNames, { purpose: 'data-file', count: 1000, ttlMs: 1000, tableId: 1 })
      const accounts = [0, 1, 2].map(
        (): ModelAccount => ({ epoch: 0, start: undefined, end: 0n, written: 0n, filtered: 0n }),
      )
      const closed: object[] = []
      const generations = [1, 1, 1]
      let rows = 0
      let sequence = 0
      let name = 0
      for (const operation of operations) {
        if (operation.kind === 'snapshot') machine.throughSnapshot(operation.chunkBytes)
        else if (operation.kind === 'claim') {
          machine.run(claimSourcePartitions, { tableId: 1, partitions: [operation.partition] })
          accounts[operation.partition]!.epoch++
        } else if (operation.kind === 'generation') {
          const { partition, start, drift, staleOwner } = operation
          const account = accounts[partition]!
          const ownerEpoch = Math.max(0, account.epoch - (staleOwner ? 1 : 0))
          const expectedEnd = account.end + drift
          const begin = { tableId: 1, partition, ownerEpoch, topicId: undefined, start, expectedEnd }
          const result = machine.run(beginSourceGeneration, begin)
          if (account.epoch === 0 || account.epoch !== ownerEpoch) {
            expect(result).toEqual({ outcome: 'fenced', ownerEpoch: account.epoch })
          } else if (account.start === undefined || drift !== 0n) {
            const expected = account.start === undefined ? -1n : account.end
            expect(result).toEqual({ outcome: 'end-differs', expected })
          } else {
            const { end, written, filtered } = account
            const generation = generations[partition]!++
            expect(result).toEqual({ outcome: 'begun', generation: generation + 1 })
            closed.push({ partition, generation, start: account.start, end, written, filtered, fileSequence: sequence })
            accounts[partition] = { epoch: account.epoch, start, end: start, written: 0n, filtered: 0n }
          }
        } else {
          const coverage = operation.ranges.map(({ partition, drift, staleOwner, written, filtered, surplus }) => {
            const { end, epoch } = accounts[partition]!
            const start = end + drift < 0n ? 0n : end + drift
            const ownerEpoch = Math.max(0, epoch - (staleOwner ? 1 : 0))
            return {
              ...range(partition, start, written, ownerEpoch),
              end: start + BigInt(written + filtered) + surplus,
              filtered,
            }
          })
          const total = coverage.reduce((sum, { written }) => sum + written, 0)
          const fileRows = total - Math.min(total, operation.missingRows)
          const files = fileRows > 0 ? [dataFile(1, name++, fileRows)] : []
          const expected = judge(accounts, coverage, fileRows === total)
          const result = machine.run(commitTableFiles, { tableId: 1, files, deadLetterFiles: [], coverage })
          expect(summary(result)).toBe(expected)
          if (expected === 'committed') {
            for (const part of coverage) {
              const account = accounts[part.partition]!
              account.start ??= part.start
              account.end = part.end
              account.written += BigInt(part.written)
              account.filtered += BigInt(part.filtered)
            }
            rows += fileRows
            if (files.length > 0) sequence++
          }
        }
        const found = sourceCoverage(machine.state, 1).map(({ partition, start, end, written, filtered }) => {
          return { partition, start, end, written, filtered }
        })
        const begun = accounts.flatMap(({ start, end, written, filtered }, partition) =>
          start === undefined ? [] : [{ partition, start, end, written, filtered }],
        )
        expect(found).toEqual(begun)
        expect(closedGenerations(machine.state, 1)).toMatchObject(closed)
        const files = tableFiles(machine.state, 1, 0, 1e9, 0, 10_000)
        expect(files.reduce((sum, file) => sum + file.recordCount, 0)).toBe(rows)
        expect(files.map(file => file.fileSequence)).toEqual(Array.from({ length: sequence }, (_, index) => index + 1))
      }
    }),
    { numRuns: 150 },
  )
})

function summary(result: CommitTableFilesResult): string {
  return 'partition' in result ? `${result.outcome} ${result.partition}` : result.outcome
}

function judge(
  accounts: readonly ModelAccount[],
  coverage: readonly {
    partition: number
    start: bigint
    end: bigint
    written: number
    filtered: number
    ownerEpoch: number
  }[],
  rowsAreThere: boolean,
): string {
  const named = new Set<number>()
  for (const { partition, start, end, written, filtered, ownerEpoch } of coverage) {
    const account = accounts[partition]!
    if (account.epoch === 0 || account.epoch !== ownerEpoch) return `fenced ${partition}`
    if (named.has(partition)) return 'invalid'
    named.add(partition)
    if (account.start !== undefined && account.end !== start) return `coverage-gap ${partition}`
    if (end - start !== BigInt(written + filtered)) return 'invalid'
  }
  return rowsAreThere ? 'committed' : 'invalid'
}
