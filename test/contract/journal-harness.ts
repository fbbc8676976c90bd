/**
 * What the journal suite is made of: homes of a journal, a process that dies at a chosen call, one whose calls can be held up, a fixed workload, and a
 * model that applies the same commands without any journal.
 */
import { applyBatch, BatchAnswers } from '../../catalog/apply-batch.ts'
import { beginSourceGeneration } from '../../catalog/commands/begin-source-generation.ts'
import type { Command } from '../../catalog/commands/command.ts'
import { commitSegment } from '../../catalog/commands/commit-segment.ts'
import { commitTableFiles } from '../../catalog/commands/commit-table-files.ts'
import { claimGroup, commitGroupOffsets } from '../../catalog/commands/group-commands.ts'
import { allocateProducerIds, grantNames, openSession } from '../../catalog/commands/name-commands.ts'
import { registerNode } from '../../catalog/commands/node-commands.ts'
import { beginPublish, completePublish } from '../../catalog/commands/publish-commands.ts'
import { claimSourcePartitions, createTable } from '../../catalog/commands/table-commands.ts'
import { advanceLogStart, createTopic, deleteTopic } from '../../catalog/commands/topic-commands.ts'
import type { Journal } from '../../catalog/journal/journal.ts'
import { journalKey } from '../../catalog/journal/journal-keys.ts'
import { OpenBatch } from '../../catalog/journal/open-batch.ts'
import { StoreJournal } from '../../catalog/journal/store-journal.ts'
import type { Catalog } from '../../catalog/open-catalog.ts'
import { CatalogState } from '../../catalog/state/catalog-state.ts'
import { ByteWriter } from '../../core/byte-writer.ts'
import type { Clock } from '../../core/clock.ts'
import { formatUuid } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { pendingCommand } from '../support/pending-command.ts'
import { dataFile, range, tableDefinition } from '../unit/catalog/catalog-fixture.ts'

type StoreMethod = 'put' | 'putOwned' | 'putIfAbsent' | 'get' | 'head' | 'list' | 'delete'
const methods: readonly StoreMethod[] = ['put', 'putOwned', 'putIfAbsent', 'get', 'head', 'list', 'delete']

/** Every call of `store` goes through `around`, which decides whether and when to make it. */
export function interceptStore(store: ObjectStore, around: Around): ObjectStore {
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      const method = methods.find(name => name === property)
      if (method === undefined) return value.bind(target)
      return (...args: unknown[]) => around(method, String(args[0]), async () => value.apply(target, args))
    },
  })
}

/** What is done around a call: whether, when and how often it is made. */
export type Around = (method: StoreMethod, target: string, call: () => Promise<unknown>) => Promise<unknown>

/** An append counts as put-if-absent of the entry's key, a read as get, a trim as delete. */
export function interceptJournal(journal: Journal, around: Around): Journal {
  const { identity } = journal
  return {
    identity,
    append: async (epoch, sequence, parts) =>
      (await around('putIfAbsent', journalKey(epoch, sequence), () =>
        journal.append(epoch, sequence, parts),
      )) as Awaited<ReturnType<Journal['append']>>,
    read: async (epoch, sequence) =>
      (await around('get', journalKey(epoch, sequence), () => journal.read(epoch, sequence))) as Uint8Array | undefined,
    trim: async sequence => void (await around('delete', 'catalog/journal/', () => journal.trim(sequence))),
  }
}

/** Where a catalog of the suite lives: its snapshots in a store, its journal there or elsewhere. */
export interface JournalHome {
  readonly store: ObjectStore
  readonly journal: Journal
  /** The same home, every call to it going through `around`. */
  through(around: Around): JournalHome
  /** Keys of the entries that there are, in order. */
  entryKeys(): Promise<string[]>
  /** Behind the journal's back: undefined removes the entry. */
  overwrite(key: string, bytes: Uint8Array | undefined): Promise<void>
}

export function homeInStore(store: ObjectStore, clock: Clock): JournalHome {
  return {
    store,
    journal: new StoreJournal(store, clock),
    through: around => homeInStore(interceptStore(store, around), clock),
    entryKeys: async () => (await store.list('catalog/journal/')).objects.map(object => object.key),
    overwrite: (key, bytes) => (bytes === undefined ? store.delete([key]) : store.put(key, bytes)),
  }
}

/** `behind` reaches the entries without the journal. */
export function homeElsewhere(
  store: ObjectStore,
  journal: Journal,
  behind: Pick<JournalHome, 'entryKeys' | 'overwrite'>,
): JournalHome {
  return {
    store,
    journal,
    through: around => homeElsewhere(interceptStore(store, around), interceptJournal(journal, around), behind),
    entryKeys: () => behind.entryKeys(),
    overwrite: (key, bytes) => behind.overwrite(key, bytes),
  }
}

export interface Mortality {
  readonly around: Around
  /** Resolves when the process is dead. */
  readonly died: Promise<void>
  readonly calls: () => number
}

/** The process dies at call number `fatalCall`, before or after it took effect: no call returns any more. */
export function makeMortality(fatalCall: number, applied: boolean): Mortality {
  let calls = 0
  const death = Promise.withResolvers<void>()
  const never = new Promise<never>(() => {})
  const around: Around = async (_method, _target, call) => {
    calls++
    if (calls < fatalCall) return call()
    if (calls === fatalCall) {
      if (applied) await call()
      death.resolve()
    }
    return never
  }
  return { around, died: death.promise, calls: () => calls }
}

export function makeMortal(inner: ObjectStore, fatalCall: number, applied: boolean) {
  const { around, ...mortality } = makeMortality(fatalCall, applied)
  return { store: interceptStore(inner, around), ...mortality }
}

export interface Step {
  readonly command: Pick<Command<never, unknown>, 'id' | 'name' | 'encode' | 'decodeResult'>
  encode(writer: ByteWriter): void
}

function step<Arguments>(command: Command<Arguments, unknown>, args: Arguments): Step {
  return { command, encode: writer => command.encode(writer, args) }
}

const topicId = new Uint8Array(16).fill(1)
const otherTopicId = new Uint8Array(16).fill(2)
const nodeInstanceId = new Uint8Array(16).fill(3)
const day = 24 * 3600_000

function segment(nameIndex: number, baseSequence: number): Step {
  return step(commitSegment, {
    grantId: 1,
    nameIndex,
    segmentBytes: 400,
    batches: [0, 1, 2].map(index => ({
      topicId: formatUuid(index === 2 ? otherTopicId : topicId),
      partition: 0,
      byteOffset: index * 100,
      byteLength: 100,
      offsetCount: 5,
      maxTimestampMs: 1000 + index,
      producerId: index === 2 ? -1n : 3n,
      producerEpoch: index === 2 ? -1 : 0,
      baseSequence: index === 2 ? -1 : baseSequence + index * 5,
    })),
  })
}

function tableFiles(nameIndex: number, start: bigint): Step {
  return step(commitTableFiles, {
    tableId: 1,
    files: [dataFile(2, nameIndex, 10)],
    deadLetterFiles: [],
    coverage: [range(0, start, 10, 1)],
  })
}

/** Groups of commands that are submitted together; each group waits for the one before. */
export const workload: readonly (readonly Step[])[] = [
  [step(openSession, undefined)],
  [
    step(createTopic, { topicId, name: 'orders', partitionCount: 2, configs: { 'retention.ms': '1' } }),
    step(createTopic, { topicId: otherTopicId, name: 'clicks', partitionCount: 1, configs: {} }),
    step(createTable, { tableUuid: new Uint8Array(16).fill(9), definition: tableDefinition() }),
  ],
  [
    step(registerNode, {
      instanceId: nodeInstanceId,
      roles: ['broker'],
      kafkaHost: 'here',
      kafkaPort: 9092,
      formatLevelMax: 1,
    }),
    step(claimGroup, { group: 'g', instanceId: nodeInstanceId }),
    step(grantNames, { purpose: 'segment', count: 10, ttlMs: day, tableId: undefined }),
    step(grantNames, { purpose: 'data-file', count: 10, ttlMs: day, tableId: 1 }),
    step(allocateProducerIds, 10),
    step(claimSourcePartitions, { tableId: 1, partitions: [0, 3] }),
  ],
  [segment(0, 0)],
  [segment(1, 10), segment(1, 20), tableFiles(0, 0n), step(beginPublish, 1)],
  [
    tableFiles(1, 10n),
    tableFiles(2, 99n),
    step(completePublish, { tableId: 1, version: 0, icebergMetadataPath: 'm0' }),
  ],
  [
    step(commitGroupOffsets, {
      group: 'g',
      claimEpoch: 1,
      offsets: [
        { topic: 'clicks', partition: 0, offset: 3n, leaderEpoch: -1, metadata: 'm', committedMs: 5 },
        { topic: 'clicks', partition: 1, offset: 2n ** 53n - 1n, leaderEpoch: 0, metadata: '', committedMs: 5 },
      ],
    }),
    step(beginPublish, 1),
  ],
  [
    step(advanceLogStart, { topicId: formatUuid(topicId), partition: 0, offset: 10n }),
    step(beginSourceGeneration, {
      tableId: 1,
      partition: 0,
      ownerEpoch: 1,
      topicId: formatUuid(otherTopicId),
      start: 0n,
      expectedEnd: 20n,
    }),
  ],
  [step(deleteTopic, formatUuid(otherTopicId)), segment(2, 20)],
]

export const workloadSteps: readonly Step[] = workload.flat()

export const workloadClientId = new Uint8Array(16).fill(0xab)

/** `onAnswer` is told of each command of the workload, by its number from 0, that was answered (also with a refusal). */
export async function runWorkload(catalog: Catalog, onSubmit: () => void, onAnswer: () => void): Promise<void> {
  let requestNumber = 0
  for (const group of workload) {
    await Promise.all(
      group.map(async ({ command, encode }) => {
        onSubmit()
        const { id, name, decodeResult } = command
        await catalog.leader.submit(
          workloadClientId,
          ++requestNumber,
          { id, name, encode, decodeResult },
          undefined as never,
        )
        onAnswer()
      }),
    )
  }
}

/** Hashes of the state after none, one, two... of the workload's commands. */
export function modelHashes(clusterId: Uint8Array, nowMs: number): string[] {
  const state = new CatalogState(clusterId, nowMs)
  const hashes = [state.hash()]
  const out = new ByteWriter()
  for (const [index, { command, encode }] of workloadSteps.entries()) {
    const batch = new OpenBatch(new ByteWriter())
    const { id, name } = command
    batch.add(pendingCommand(workloadClientId, index + 1, { id, name, encode }, undefined))
    out.reset()
    const body = { nowMs, clientIds: batch.clientIds, commandCount: 1, bytes: batch.body.view() }
    applyBatch(state, body, out, new BatchAnswers())
    hashes.push(state.hash())
  }
  return hashes
}
