/**
 * What the catalog's benches commit: data files of 50 tables with 256 source partitions each, and segments of 1,000 topic partitions,
 * encoded as the leader would journal them.
 */
import { applyBatch, BatchAnswers, type BatchBody } from '../catalog/apply-batch.ts'
import type { CommitSegment, CommitTableFiles, NewDataFile, TableDefinition } from '../catalog/client.ts'
import type { Command } from '../catalog/commands/command.ts'
import { commitSegment } from '../catalog/commands/commit-segment.ts'
import { commitTableFiles } from '../catalog/commands/commit-table-files.ts'
import { grantNames, openSession } from '../catalog/commands/name-commands.ts'
import { claimSourcePartitions, createTable } from '../catalog/commands/table-commands.ts'
import { createTopic } from '../catalog/commands/topic-commands.ts'
import { OpenBatch } from '../catalog/journal/open-batch.ts'
import { namesPerGrantMax } from '../catalog/limits.ts'
import { CatalogState } from '../catalog/state/catalog-state.ts'
import { ByteWriter } from '../core/byte-writer.ts'
import { formatUuid, type Random, systemRandom } from '../core/random.ts'
import { primitive } from '../table/types.ts'
import { pendingCommand } from '../test/support/pending-command.ts'

export const tableCount = 50
export const partitionsPerTable = 256
export const allPartitions: readonly number[] = Array.from({ length: partitionsPerTable }, (_, partition) => partition)
export const nowMs = 1_800_000_000_000
const rowsPerFile = 1000
const commandsPerBatch = 4096
const topicCount = 20
const partitionsPerTopic = 50

export type Statistics = NewDataFile['columns']

/** Of eight columns, the same for every file. */
export const fixedStatistics: Statistics = Array.from({ length: 8 }, (_, index) => ({
  fieldId: index + 1,
  columnBytes: 12_345 + index,
  valueCount: rowsPerFile,
  nullCount: index,
  nanCount: undefined,
  lower: new Uint8Array(8).fill(index),
  upper: new Uint8Array(8).fill(200 + index),
  lowerExact: true,
  upperExact: true,
}))

/**
 * Of the eight columns of a log, different for every file: time, level, service, message, trace id, duration, partition and offset.
 * Texts are cut to 16 bytes, as the writer of data files does.
 */
export function logStatistics(random: Random, file: number, partition: number, offset: number): Statistics {
  const timeMicros = (nowMs + file * 40) * 1_000
  const column = (fieldId: number, columnBytes: number, lower: Uint8Array, upper: Uint8Array, isExact = true) => ({
    fieldId,
    columnBytes: Math.floor(columnBytes * (0.9 + random.fraction() * 0.2)),
    valueCount: rowsPerFile,
    nullCount: 0,
    nanCount: undefined,
    lower,
    upper,
    lowerExact: isExact,
    upperExact: isExact,
  })
  const spread = Math.floor(random.fraction() * 1_000_000)
  const worker = Math.floor(random.fraction() * 4)
  return [
    column(1, 4_000, int64(timeMicros), int64(timeMicros + 1_000_000 + spread)),
    column(2, 900, utf8.encode('debug'), utf8.encode('warn')),
    column(3, 2_500, utf8.encode('api'), utf8.encode(`worker-${worker}`)),
    column(4, 30_000, utf8.encode('GET /v1/accounts'), utf8.encode('worker started .'), false),
    column(5, 16_000, utf8.encode(`00${hex(random)}`), utf8.encode(`ff${hex(random)}`), false),
    column(6, 7_000, float64(random.fraction() / 2), float64(1_000 + random.fraction() * 5_000)),
    column(7, 90, int32(partition), int32(partition)),
    column(8, 300, int64(offset), int64(offset + rowsPerFile)),
  ]
}

const utf8 = new TextEncoder()

function hex(random: Random): string {
  return Buffer.from(random.bytes(7)).toString('hex')
}

function int64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true)
  return bytes
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value, true)
  return bytes
}

function float64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value, true)
  return bytes
}

/** Makes commit after commit: which table, partition and offsets come next. */
export class CommitSequence {
  readonly #ends = new Float64Array(tableCount * partitionsPerTable)
  #next = 0
  readonly #names: () => { grantId: number; nameIndex: number }
  readonly #filesPerCommit: number
  readonly #random: Random | undefined

  /** random  every file has statistics of its own; undefined: all have the same */
  constructor(filesPerCommit: number, names: () => { grantId: number; nameIndex: number }, random?: Random) {
    this.#filesPerCommit = filesPerCommit
    this.#names = names
    this.#random = random
  }

  /** `account` fixes the partition; otherwise all take turns. */
  make(account = this.#next++ % (tableCount * partitionsPerTable)): CommitTableFiles {
    const written = rowsPerFile * this.#filesPerCommit
    const partition = account % partitionsPerTable
    const start = this.#ends[account]!
    this.#ends[account] = start + written
    const files: NewDataFile[] = []
    for (let index = 0; index < this.#filesPerCommit; index++) {
      const random = this.#random
      files.push({
        ...this.#names(),
        partition: [],
        recordCount: rowsPerFile,
        fileBytes: random === undefined ? 98_765 : 90_000 + Math.floor(random.fraction() * 20_000),
        splitOffsets: [4],
        columns: random === undefined ? fixedStatistics : logStatistics(random, this.#next, partition, start),
      })
    }
    return {
      tableId: 1 + Math.floor(account / partitionsPerTable),
      files,
      deadLetterFiles: [],
      coverage: [
        {
          partition,
          topicId: '8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a11',
          start: BigInt(start),
          end: BigInt(start + written),
          written,
          filtered: 0,
          rejected: 0,
          control: 0,
          gap: 0n,
          maxTimestampMs: nowMs,
          ownerEpoch: 1,
        },
      ],
    }
  }
}

export function tableDefinition(index: number): TableDefinition {
  return {
    name: `table_${index}`,
    source: { clusterName: 'bench', topic: `topic-${index}` },
    schema: { schemaId: 0, fields: [{ id: 1, name: 'id', required: true, type: primitive('long') }] },
    spec: { specId: 0, fields: [] },
    properties: {},
    settings: '{}',
  }
}

const clientId = new Uint8Array(16).fill(7)

/** A state with tables and topics, and encoded batches of commands for it. */
export class StateMachineLoad {
  readonly state = new CatalogState(new Uint8Array(16), nowMs)
  readonly #out = new ByteWriter(1 << 20)
  readonly #answers = new BatchAnswers()
  readonly #topicIds: string[] = []
  #requestNumber = 0
  #grantCount = 0
  #segmentCount = 0

  constructor() {
    const setup = new OpenBatch(new ByteWriter())
    this.#add(setup, openSession, undefined)
    for (let index = 0; index < tableCount; index++) {
      this.#add(setup, createTable, { tableUuid: systemRandom.bytes(16), definition: tableDefinition(index) })
      this.#add(setup, claimSourcePartitions, { tableId: index + 1, partitions: allPartitions })
    }
    for (let index = 0; index < topicCount; index++) {
      const topicId = systemRandom.bytes(16)
      this.#topicIds.push(formatUuid(topicId))
      this.#add(setup, createTopic, {
        topicId,
        name: `topic-${index}`,
        partitionCount: partitionsPerTopic,
        configs: {},
      })
    }
    this.apply(bodyOf(setup))
  }

  #add<A, R>(batch: OpenBatch, command: Command<A, R>, args: A): void {
    batch.add(pendingCommand(clientId, ++this.#requestNumber, command, args))
  }

  apply(batch: BatchBody): void {
    this.#out.reset()
    applyBatch(this.state, batch, this.#out, this.#answers)
  }

  /** Grants `count` names and hands them out one by one. */
  grant(purpose: 'data-file' | 'segment', count: number): () => { grantId: number; nameIndex: number } {
    const first = this.#grantCount + 1
    const batch = new OpenBatch(new ByteWriter())
    for (let granted = 0; granted < count; granted += namesPerGrantMax) {
      this.#add(batch, grantNames, { purpose, count: namesPerGrantMax, ttlMs: 3600_000, tableId: undefined })
      this.#grantCount++
    }
    this.apply(bodyOf(batch))
    let next = 0
    return () => {
      const at = next++
      return { grantId: first + Math.floor(at / namesPerGrantMax), nameIndex: at % namesPerGrantMax }
    }
  }

  /** Encoded, not applied. */
  *fileCommits(commits: number, filesPerCommit: number, random?: Random): Generator<BatchBody> {
    const sequence = new CommitSequence(filesPerCommit, this.grant('data-file', commits * filesPerCommit), random)
    yield* this.#batches(commits, batch => this.#add(batch, commitTableFiles, sequence.make()))
  }

  /** One batch of records each, to all partitions in turns. */
  *segmentCommits(commits: number): Generator<BatchBody> {
    const names = this.grant('segment', commits)
    yield* this.#batches(commits, batch => this.#add(batch, commitSegment, this.#nextSegment(names())))
  }

  #nextSegment(name: { grantId: number; nameIndex: number }): CommitSegment {
    const count = this.#segmentCount++
    const partition = count % (topicCount * partitionsPerTopic)
    const batch = {
      topicId: this.#topicIds[Math.floor(partition / partitionsPerTopic)]!,
      partition: partition % partitionsPerTopic,
      byteOffset: 0,
      byteLength: 100_000,
      offsetCount: rowsPerFile,
      maxTimestampMs: nowMs + count,
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
    }
    return { ...name, segmentBytes: 100_100, batches: [batch] }
  }

  *#batches(commands: number, add: (batch: OpenBatch) => void): Generator<BatchBody> {
    for (let done = 0; done < commands; ) {
      const batch = new OpenBatch(new ByteWriter(commandsPerBatch * 300))
      for (let index = 0; index < commandsPerBatch && done < commands; index++, done++) add(batch)
      yield bodyOf(batch)
    }
  }
}

/** The bytes alone: those who wait for the answers are not kept. */
function bodyOf({ clientIds, commandCount, body }: OpenBatch): BatchBody {
  return { nowMs, clientIds, commandCount, bytes: body.take() }
}

export function countFiles(state: CatalogState): number {
  let files = 0
  for (const table of state.tables.all()) files += table.files.length
  return files
}

/** On the JavaScript heap and outside of it, after collecting garbage. */
export function liveMemoryBytes(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
