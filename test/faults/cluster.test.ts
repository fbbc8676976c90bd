/**
 * Exactly once with several processes over one directory: each is killed, paused or asked to end at random moments, the leader of the
 * catalog most of all, while ordinary clients produce through whoever is there and a consumer group goes on reading. Afterwards
 * topics, catalog, Parquet files and Iceberg must tell the clients' story.
 *
 *   FLOE_CLUSTER_BLOWS   how many (8); FLOE_CLUSTER_SEED   which (1)
 *   FLOE_CLUSTER_OLD     a checkout of an older Floe, with its packages: every process begins as that one and is this one from its
 *                        first restart on, so that old and new work together for a while, as in a rolling upgrade
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { seededRandom } from '../../core/random.ts'
import { checkTables, openDirectoryReader } from '../support/check-stories.ts'
import { findFreePort } from '../support/floe-process.ts'
import { numberedTableYaml } from '../support/numbered-table.ts'
import { withTemporaryDirectory } from '../support/temporary-store.ts'
import { liveThrough, Member } from './cluster-members.ts'

const blowCount = Number(process.env.FLOE_CLUSTER_BLOWS ?? 8)
const seed = Number(process.env.FLOE_CLUSTER_SEED ?? 1)
const processCount = 3
const topics = [
  { topic: 'orders', partitionCount: 6 },
  { topic: 'clicks', partitionCount: 2 },
]
const env = { FLOE_CLUSTER_SECRET: 'a secret that the test made up' }

it(`loses and repeats nothing over ${blowCount} blows to ${processCount} processes`, {
  timeout: 3_600_000,
}, async () => {
  await withTemporaryDirectory(async directory => {
    const dataDir = join(directory, 'data')
    const members = await Promise.all(
      Array.from({ length: processCount }, async (_, index) => {
        const configFile = join(directory, `floe-${index}.yaml`)
        const kafkaPort = await findFreePort()
        await writeFile(configFile, configText(dataDir, kafkaPort))
        return new Member(configFile, `127.0.0.1:${kafkaPort}`, env, process.env.FLOE_CLUSTER_OLD)
      }),
    )
    await liveThrough({
      members,
      topics,
      strike: () => strike(members, blowCount, seed),
      openCatalog: () => openDirectoryReader(dataDir),
      checkTables: stories => checkTables(dataDir, members[0]!.configFile, stories),
    })
  })
})

function configText(dataDir: string, kafkaPort: number): string {
  return `data_dir: ${dataDir}
kafka: { port: ${kafkaPort} }
http: { port: 0 }
cluster: { secret_env: FLOE_CLUSTER_SECRET, port: 0 }
broker: { flush_interval: 20ms }
tables:${topics.map(({ topic }) => numberedTableYaml(topic, '300ms')).join('')}
`
}

/** One blow after the other, each to one process, which is back before the next. Returns what they were. */
async function strike(members: readonly Member[], count: number, seed: number): Promise<string[]> {
  const random = seededRandom(seed)
  const blows: string[] = []
  for (let blow = 0; blow < count; blow++) {
    await systemClock.sleep(500 + random.fraction() * 2_000)
    const index = Math.floor(random.fraction() * members.length)
    const member = members[index]!
    const kind = random.fraction()
    if (kind < 0.5) {
      blows.push(`kill ${index}`)
      await member.end('SIGKILL')
      member.upgrade()
      await systemClock.sleep(random.fraction() * 4_000)
      await member.start()
    } else if (kind < 0.8) {
      blows.push(`pause ${index}`)
      member.signal('SIGSTOP')
      await systemClock.sleep(1_000 + random.fraction() * 5_000)
      member.signal('SIGCONT')
    } else {
      blows.push(`end ${index}`)
      await member.stop()
      member.upgrade()
      await member.start()
    }
  }
  return blows
}
