/**
 * Topic, catalog, Parquet files, Iceberg and Delta must tell the same story, and it must be the story of the clients that produced
 * (record-ledger.ts).
 */
import { join } from 'node:path'
import { expect } from 'vitest'
import type { CatalogClient } from '../../catalog/client.ts'
import type { Journal } from '../../catalog/journal/journal.ts'
import { openCatalogReader } from '../../catalog/reader.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'
import { verifyTable } from '../../ingest/verify/verify-table.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { runFloe } from './floe-process.ts'
import {
  describeTopicRows,
  findDisagreements,
  findMissingObjects,
  readRowsWithDuckDb,
  readRowsWithIcebird,
  readTableRows,
} from './published-rows.ts'
import { type ConsumedRecord, readTopic } from './read-topic.ts'
import { isMisfit, type RecordLedger } from './record-ledger.ts'
import { openDirectory } from './temporary-store.ts'

export interface StoryTopic {
  readonly topic: string
  readonly partitionCount: number
}

export interface TopicStory {
  readonly topic: string
  /** By partition. */
  readonly records: readonly (readonly ConsumedRecord[])[]
  /** As published-rows.ts describes them. */
  readonly rows: readonly string[]
  readonly misfitCount: bigint
}

/** Reads the topics through ordinary consumers; nothing acknowledged may be lost, doubled or out of order. */
export async function checkTopics(
  address: string,
  topics: readonly StoryTopic[],
  ledger: RecordLedger,
): Promise<TopicStory[]> {
  const stories: TopicStory[] = []
  for (const { topic, partitionCount } of topics) {
    const partitions = await readTopic(address, topic, partitionCount)
    expect(ledger.findBreaches(topic, partitions)).toEqual([])
    const misfitCount = BigInt(partitions.flat().filter(({ value }) => isMisfit(value)).length)
    stories.push({ topic, records: partitions, rows: describeTopicRows(partitions), misfitCount })
  }
  return stories
}

/** `dataDir` as in the configuration; nobody serves it any more. `journal` when it is not in the store. */
export async function checkTables(
  dataDir: string,
  configFile: string,
  stories: readonly TopicStory[],
  journal?: Journal,
): Promise<void> {
  const catalog = await openDirectoryReader(dataDir, journal)
  const store = await openDirectory(join(dataDir, 'store'))
  await checkTablesIn(catalog, store, configFile, stories)
  for (const { topic, rows } of stories) {
    const table = `floe__${topic}`
    expect(await readRowsWithDuckDb(catalog, store, table)).toEqual(rows)
    expect(await readRowsWithIcebird(catalog, store, table)).toEqual(rows)
  }
}

/** As far as it can be told of a store of any kind. `env`: what the configuration names. */
export async function checkTablesIn(
  catalog: CatalogClient,
  store: ObjectStore,
  configFile: string,
  stories: readonly TopicStory[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const { topic, rows, misfitCount } of stories) {
    const table = `floe__${topic}`
    expect(await verifyTable({ catalog, store }, table)).toMatchObject({
      proved: true,
      problems: [],
      rows: BigInt(rows.length),
      deadLetters: misfitCount,
    })
    expect(await findDisagreements(catalog, store, table)).toEqual([])
    expect(await readTableRows(catalog, store, table)).toEqual(rows)
  }
  expect(await findMissingObjects(catalog, store)).toEqual([])
  const names = stories.map(({ topic }) => `floe__${topic}`)
  const verified = await runFloe(['verify', '-c', configFile, '--json', ...names], env)
  expect(verified).toMatchObject({ code: 0 })
  expect(JSON.parse(verified.stdout)).toMatchObject({ proved: true })
}

export async function openDirectoryReader(dataDir: string, journal?: Journal): Promise<CatalogClient> {
  const store = await openDirectory(join(dataDir, 'store'))
  const parts = { store, clock: systemClock, log: silentLog }
  return openCatalogReader(journal === undefined ? parts : { ...parts, journal })
}
