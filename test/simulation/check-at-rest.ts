/**
 * What must hold once everything was healed: within bounded time clients are answered again, tables are published and groups have read
 * to the end, and then nothing is lost, doubled, reordered or left behind.
 */
import type { Broker } from '../../broker/broker.ts'
import type { CatalogClient } from '../../catalog/client.ts'
import { verifyTable } from '../../ingest/verify/verify-table.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { isEverythingPublished } from '../support/everything-published.ts'
import { findHistoryBreaks } from '../support/published-history.ts'
import {
  describeTopicRows,
  findDisagreements,
  findMissingObjects,
  readTableRows,
  rowsToRecords,
} from '../support/published-rows.ts'
import type { TopicRecord } from '../support/read-topic.ts'
import { parseValue, type RecordLedger } from '../support/record-ledger.ts'
import type { FloeHost } from './floe-host.ts'
import type { ModelCommitter } from './model-committer.ts'
import type { ModelGroup } from './model-group.ts'
import type { ModelProducer } from './model-producer.ts'
import type { ModelRebornTopic } from './model-reborn-topic.ts'
import { readLog } from './read-log.ts'
import type { World } from './world.ts'

export interface AtRestParts {
  readonly world: World
  readonly hosts: readonly FloeHost[]
  /** Without its faults. */
  readonly store: ObjectStore
  /** Each is a table as well. */
  readonly topics: readonly { readonly topic: string; readonly partitionCount: number }[]
  readonly producers: readonly ModelProducer[]
  readonly committers: readonly ModelCommitter[]
  readonly group: ModelGroup
  readonly rebornTopic: ModelRebornTopic | undefined
  readonly ledger: RecordLedger
  readonly violations: string[]
}

const settleMsMax = 180_000

export async function checkAtRest(parts: AtRestParts): Promise<void> {
  const { world, hosts, topics, producers, committers, group, rebornTopic, ledger, violations } = parts
  if (!(await world.run(settleMsMax, () => hosts.every(isInCluster)))) {
    violations.push(`not every process was up, and led or followed, within ${settleMsMax / 1000} s of healing`)
    for (const host of hosts) violations.push(...(await host.describe()))
    return
  }
  const committedBefore = committers.map(committer => committer.acknowledgedCount)
  const acknowledgedBefore = ledger.acknowledgedCount
  const goesOn = await world.run(
    settleMsMax,
    () => ledger.acknowledgedCount > acknowledgedBefore + 20 || violations.length > 0,
  )
  if (violations.length > 0) return
  if (!goesOn) {
    violations.push(`no progress: producers were not answered within ${settleMsMax / 1000} s of healing`)
    return
  }
  const commitsGoOn = await world.run(
    settleMsMax,
    () =>
      committers.every(({ acknowledgedCount }, index) => acknowledgedCount > committedBefore[index]!) ||
      violations.length > 0,
  )
  if (violations.length > 0) return
  if (!commitsGoOn) {
    violations.push(`no progress: offsets could not be committed within ${settleMsMax / 1000} s of healing`)
    for (const host of hosts) violations.push(...(await host.describe()))
    return
  }
  for (const committer of committers) committer.stop()
  for (const producer of producers) producer.stop()
  if (
    !(await world.run(settleMsMax, () => producers.every(producer => producer.isDone) && rebornTopic?.isDone !== false))
  ) {
    violations.push(`producers did not finish within ${settleMsMax / 1000} s of healing`)
    return
  }
  const published = rebornTopic === undefined ? topics : [...topics, { topic: rebornTopic.topic, partitionCount: 1 }]
  let isPublished = false
  let isOver = false
  const look = async (): Promise<void> => {
    while (!isPublished && !isOver) {
      const catalog = hosts.find(host => host.isServing)?.catalog?.client
      if (catalog !== undefined) {
        const asked = catalog.readBarrier().then(() => isEverythingPublished(catalog, published))
        // A process that ends meanwhile does not answer.
        isPublished = await Promise.race([asked.catch(() => false), world.delay(5_000).then(() => false)])
      }
      await world.delay(200)
    }
  }
  void look()
  await world.run(settleMsMax, () => isPublished || violations.length > 0)
  isOver = true
  if (!isPublished) {
    violations.push(`tables were not published to the end within ${settleMsMax / 1000} s of healing`)
    for (const host of hosts) violations.push(...(await host.describe()))
    return
  }
  const isReadByGroup = await world.run(settleMsMax, () => group.hasCommitted(logEnds(hosts, group.topic)))
  group.stop()
  if (!isReadByGroup) {
    violations.push(`a group did not read ${group.topic} to its end within ${settleMsMax / 1000} s of healing`)
    return
  }
  const checked = checkContents(parts).catch((error: unknown) => {
    violations.push(`contents could not be checked: ${error instanceof Error ? error.stack : String(error)}`)
  })
  let isChecked = false
  void checked.then(() => {
    isChecked = true
  })
  if (!(await world.run(settleMsMax, () => isChecked))) violations.push('contents could not be read in time')
}

function isInCluster({ isUp, catalog }: FloeHost): boolean {
  return isUp && catalog?.status().ready === true
}

async function checkContents(parts: AtRestParts): Promise<void> {
  const { hosts, topics, store, rebornTopic, violations } = parts
  const { catalog, broker } = hosts.find(host => host.isServing)!
  const client = catalog!.client
  for (const { topic, partitionCount } of topics) await checkTopic(parts, client, broker!, topic, partitionCount)
  if (rebornTopic !== undefined) await checkReborn(parts, rebornTopic, client, broker!)
  violations.push(...(await findMissingObjects(client, store)))
}

/** The table has every record there ever was, the topic those that were not deleted since. */
async function checkTopic(
  parts: AtRestParts,
  client: CatalogClient,
  broker: Broker,
  topic: string,
  partitionCount: number,
): Promise<void> {
  const { ledger, violations } = parts
  await checkTable(parts, client, topic)
  const { rows, covered } = await readBoth(parts, client, broker, topic, partitionCount)
  const records = rowsToRecords(rows, partitionCount)
  violations.push(...ledger.findBreaches(topic, records))
  const { topicId } = (await client.topicByName(topic))!
  for (const [partition, stored] of covered.entries()) {
    const [state] = await client.partitionStates([{ topicId, partition }])
    const kept = records[partition]!.slice(Number(state!.logStartOffset))
    if (describeTopicRows([stored]).join('\n') === describeTopicRows([kept]).join('\n')) continue
    violations.push(
      `${topic}/${partition} has ${stored.length} records, its table ${kept.length} of them, and they differ`,
    )
  }
}

async function checkReborn(
  parts: AtRestParts,
  { topic, ledger }: ModelRebornTopic,
  client: CatalogClient,
  broker: Broker,
): Promise<void> {
  const { violations } = parts
  await checkTable(parts, client, topic)
  const { rows, covered: stored } = await readBoth(parts, client, broker, topic, 1)
  for (const { key: session, value } of rowsToRecords(rows, 1).flat()) {
    const { n } = parseValue(value)
    if (!ledger.wasSent(session, n)) violations.push(`${topic}: record ${n} of ${session} was never sent`)
  }
  const rowSet = new Set(rows)
  for (const row of describeTopicRows(stored)) if (!rowSet.has(row)) violations.push(`${topic}: ${row} is in no row`)
  const kept = new Set(stored.flat().map(({ key, value }) => `${key} ${parseValue(value).n}`))
  // What was sent again after the topic had gone may be in two of its lives, and in one of them once.
  if (kept.size !== stored.flat().length) violations.push(`${topic}: some of its records are there twice`)
  for (const name of ledger.acknowledgedNow) {
    if (!kept.has(name)) violations.push(`${topic}: acknowledged record ${name} is not in the topic`)
  }
}

/** The table and its topic of one moment: what nobody waits for any more may arrive between the two. */
async function readBoth(
  { world, store }: AtRestParts,
  client: CatalogClient,
  broker: Broker,
  topic: string,
  partitionCount: number,
): Promise<{ rows: readonly string[]; covered: TopicRecord[][] }> {
  const name = `floe__${topic}`
  for (;;) {
    const { published, rowCount } = (await client.tableByName(name))!
    if (published?.rowCount === rowCount) {
      const rows = await readTableRows(client, store, name)
      const covered = await readCovered(client, broker, topic, partitionCount)
      if ((await client.tableByName(name))!.rowCount === rowCount) return { rows, covered }
    }
    await world.delay(1_000)
  }
}

/** What the topic holds of the offsets that its table accounts for, by partition. */
async function readCovered(
  client: CatalogClient,
  broker: Broker,
  topic: string,
  partitionCount: number,
): Promise<TopicRecord[][]> {
  const { tableId } = (await client.tableByName(`floe__${topic}`))!
  const accounts = await client.sourceCoverage(tableId)
  return (await readLog(broker, topic, partitionCount)).map((records, index) => {
    const end = accounts.find(({ partition }) => partition === index)?.end ?? 0n
    return records.filter(({ offset }) => offset < end)
  })
}

/** The account is proved by the files, and Iceberg and Delta say the same. */
async function checkTable(
  { world, store, violations }: AtRestParts,
  client: CatalogClient,
  topic: string,
): Promise<void> {
  const table = `floe__${topic}`
  const report = await verifyTable({ catalog: client, store }, table)
  violations.push(...report.problems.map(problem => `${table}: ${problem}`))
  if (!report.proved) violations.push(`${table} is not proved`)
  violations.push(...(await findHistoryBreaks(client, store, table)).map(problem => `${table}: ${problem}`))
  let disagreements = await findDisagreements(client, store, table)
  // A hint that was overtaken is put right once no put can be on its way.
  for (let tries = 0; disagreements.length > 0 && tries < 20; tries++) {
    await world.delay(5_000)
    disagreements = await findDisagreements(client, store, table)
  }
  violations.push(...disagreements)
}

/** High watermarks, by partition. */
function logEnds(hosts: readonly FloeHost[], name: string): readonly bigint[] {
  for (const topic of hosts.find(host => host.isServing)?.catalog?.state.topics.all() ?? []) {
    if (topic.name === name) return topic.partitions.map(({ highWatermark }) => BigInt(highWatermark))
  }
  return []
}
