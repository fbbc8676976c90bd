/**
 * What must hold once everything was healed: within bounded time clients are answered again, tables are published and groups have read
 * to the end, and then nothing is lost, doubled, reordered or left behind.
 */
import { verifyTable } from '../../ingest/verify/verify-table.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { isEverythingPublished } from '../support/everything-published.ts'
import {
  describeTopicRows,
  findDisagreements,
  findMissingObjects,
  readTableRows,
  rowsToRecords,
} from '../support/published-rows.ts'
import type { RecordLedger } from '../support/record-ledger.ts'
import type { FloeHost } from './floe-host.ts'
import type { ModelCommitter } from './model-committer.ts'
import type { ModelGroup } from './model-group.ts'
import type { ModelProducer } from './model-producer.ts'
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
  readonly ledger: RecordLedger
  readonly violations: string[]
}

const settleMsMax = 180_000
const restMs = 8_000

export async function checkAtRest(parts: AtRestParts): Promise<void> {
  const { world, hosts, topics, producers, committers, group, ledger, violations } = parts
  // Processes that were just asked to end do so, and are started again.
  await world.run(restMs, () => violations.length > 0)
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
  if (!(await world.run(settleMsMax, () => producers.every(producer => producer.isDone)))) {
    violations.push(`producers did not finish within ${settleMsMax / 1000} s of healing`)
    return
  }
  let isPublished = false
  let isOver = false
  const look = async (): Promise<void> => {
    while (!isPublished && !isOver) {
      const catalog = hosts.find(host => host.isServing)?.catalog?.client
      if (catalog !== undefined) {
        const asked = catalog.readBarrier().then(() => isEverythingPublished(catalog, topics))
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

async function checkContents({ world, hosts, topics, store, ledger, violations }: AtRestParts): Promise<void> {
  const { catalog, broker } = hosts.find(host => host.isServing)!
  const client = catalog!.client
  for (const { topic, partitionCount } of topics) {
    const table = `floe__${topic}`
    const report = await verifyTable({ catalog: client, store: store }, table)
    violations.push(...report.problems.map(problem => `${table}: ${problem}`))
    if (!report.proved) violations.push(`${table} is not proved`)
    let disagreements = await findDisagreements(client, store, table)
    // A hint that was overtaken is put right once no put can be on its way.
    for (let tries = 0; disagreements.length > 0 && tries < 20; tries++) {
      await world.delay(5_000)
      disagreements = await findDisagreements(client, store, table)
    }
    violations.push(...disagreements)
    // The table has every record there ever was, the topic those that were not deleted since.
    const rows = await readTableRows(client, store, table)
    const records = rowsToRecords(rows, partitionCount)
    violations.push(...ledger.findBreaches(topic, records))
    const { topicId } = (await client.topicByName(topic))!
    for (const [partition, stored] of (await readLog(broker!, topic, partitionCount)).entries()) {
      const [state] = await client.partitionStates([{ topicId, partition }])
      const kept = records[partition]!.slice(Number(state!.logStartOffset))
      if (describeTopicRows([stored]).join('\n') !== describeTopicRows([kept]).join('\n')) {
        violations.push(
          `${topic}/${partition} has ${stored.length} records, its table ${kept.length} of them, and they differ`,
        )
      }
    }
  }
  violations.push(...(await findMissingObjects(client, store)))
}

/** High watermarks, by partition. */
function logEnds(hosts: readonly FloeHost[], name: string): readonly bigint[] {
  for (const topic of hosts.find(host => host.isServing)?.catalog?.state.topics.all() ?? []) {
    if (topic.name === name) return topic.partitions.map(({ highWatermark }) => BigInt(highWatermark))
  }
  return []
}
