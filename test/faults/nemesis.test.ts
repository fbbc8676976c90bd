/**
 * Exactly once with several processes over an S3 server, everything between them failing: processes are killed, paused and ended, each
 * is cut off from the store or from the others, the store is killed and paused and its disk full, while ordinary clients produce through
 * whoever is there and a consumer group goes on reading. Afterwards topics, catalog, Parquet files, Iceberg and Delta must tell the
 * clients' story. And all of it once more with the journal in PostgreSQL, which fares no better.
 *
 *   FLOE_NEMESIS_BLOWS   how many in each of the two (each kind once; with PostgreSQL what befalls that)
 *   FLOE_NEMESIS_SEED    which (1)
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'vitest'
import { openJournal } from '../../bin/journal/open-journal.ts'
import type { CatalogClient } from '../../catalog/client.ts'
import { openCatalogReader } from '../../catalog/reader.ts'
import { systemClock } from '../../core/clock.ts'
import { nodeFileSystem } from '../../core/file-system.ts'
import { silentLog } from '../../core/log.ts'
import { seededRandom, systemRandom } from '../../core/random.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { openStore } from '../../storage/open-store.ts'
import { startPostgres, startS3 } from '../peers/index.ts'
import { checkTablesIn } from '../support/check-stories.ts'
import { CuttableLink } from '../support/cuttable-link.ts'
import { findFreePort } from '../support/floe-process.ts'
import { numberedTableYaml } from '../support/numbered-table.ts'
import { findDisagreements } from '../support/published-rows.ts'
import { RestartedServer } from '../support/restarted-server.ts'
import { withSmallDisk } from '../support/small-disk.ts'
import { withTemporaryDirectory } from '../support/temporary-store.ts'
import { liveThrough, Member } from './cluster-members.ts'
import { type Ground, type Node, strike } from './nemesis-blows.ts'

const { FLOE_NEMESIS_BLOWS, FLOE_NEMESIS_SEED = '1' } = process.env
const blowCount = FLOE_NEMESIS_BLOWS === undefined ? undefined : Number(FLOE_NEMESIS_BLOWS)
const timeout = 7_200_000
const databaseBlowCount = 3
const processCount = 3
const topics = [
  { topic: 'orders', partitionCount: 6 },
  { topic: 'clicks', partitionCount: 2 },
]

it('loses and repeats nothing over blows to processes, their network, their store and its disk', { timeout }, () =>
  withStore(({ store, disk }) => liveOn({ store, disk, database: undefined }, blowCount)),
)

it('nor with the journal in PostgreSQL, over blows to that as well', { timeout }, () =>
  withStore(({ store, disk }) =>
    withDatabase(database => liveOn({ store, disk, database }, blowCount ?? databaseBlowCount)),
  ),
)

function withStore(use: (ground: Pick<Ground, 'store' | 'disk'>) => Promise<void>): Promise<void> {
  return withTemporaryDirectory(directory =>
    withSmallDisk(async disk => {
      if (disk === undefined)
        process.stdout.write('nothing may be mounted here: the disk below the store is never full\n')
      const dataDir = join(disk?.directory ?? directory, 's3')
      const port = await findFreePort()
      const store = await RestartedServer.start(() => startS3({ dataDir, port }))
      try {
        await use({ store, disk })
      } finally {
        await store.stop()
      }
    }),
  )
}

function withDatabase(use: (database: NonNullable<Ground['database']>) => Promise<void>): Promise<void> {
  return withTemporaryDirectory(async dataDir => {
    const port = await findFreePort()
    const database = await RestartedServer.start(() => startPostgres({ dataDir, port }))
    try {
      await use(database)
    } finally {
      await database.stop()
    }
  })
}

async function liveOn(ground: Ground, blowCount: number | undefined): Promise<void> {
  await withTemporaryDirectory(async directory => {
    const nodes: Node[] = []
    try {
      for (let index = 0; index < processCount; index++) {
        nodes.push(await makeNode(join(directory, `floe-${index}.yaml`), ground))
      }
      await liveThrough({
        members: nodes.map(({ member }) => member),
        topics,
        strike: () => strike(nodes, ground, seededRandom(Number(FLOE_NEMESIS_SEED)), blowCount),
        openCatalog: () => openCatalog(ground),
        isSettled: () => areHintsRight(ground),
        checkTables: async stories =>
          checkTablesIn(
            await openCatalog(ground),
            await openS3Store(ground),
            nodes[0]!.member.configFile,
            stories,
            environment(ground),
          ),
      })
    } finally {
      for (const { toStore, toDatabase, fromPeers } of nodes) {
        await toStore.close()
        await toDatabase?.close()
        await fromPeers.close()
      }
    }
  })
}

async function makeNode(configFile: string, ground: Ground): Promise<Node> {
  const { store, database } = ground
  const [kafkaPort, peerPort] = [await findFreePort(), await findFreePort()]
  const toStore = await CuttableLink.to(store.running.port)
  const toDatabase = database === undefined ? undefined : await CuttableLink.to(database.running.port)
  const fromPeers = await CuttableLink.to(peerPort)
  const catalog =
    toDatabase === undefined
      ? ''
      : `catalog:
  journal_url: postgres://floe@127.0.0.1:${toDatabase.port}/postgres
  journal_password_env: JOURNAL_PASSWORD
`
  await writeFile(
    configFile,
    `destination_bucket_url: s3://floe/lake
storage:
  endpoint: http://127.0.0.1:${toStore.port}
  region: us-east-1
  path_style: true
  access_key_id_env: STORE_KEY_ID
  secret_access_key_env: STORE_KEY
kafka: { port: ${kafkaPort} }
http: { port: 0 }
cluster: { secret_env: FLOE_CLUSTER_SECRET, port: ${peerPort}, advertised_port: ${fromPeers.port} }
broker: { flush_interval: 50ms }
${catalog}tables:${topics.map(({ topic }) => numberedTableYaml(topic, '500ms')).join('')}
`,
  )
  const member = new Member(configFile, `127.0.0.1:${kafkaPort}`, environment(ground))
  return { member, toStore, toDatabase, fromPeers }
}

/** What the configuration names. */
function environment({ store, database }: Ground): Record<string, string> {
  return {
    STORE_KEY_ID: store.running.accessKeyId,
    STORE_KEY: store.running.secretAccessKey,
    FLOE_CLUSTER_SECRET: 'a secret that the test made up',
    ...(database !== undefined && { JOURNAL_PASSWORD: database.running.password }),
  }
}

function openS3Store({ store }: Ground): Promise<ObjectStore> {
  const { endpoint, bucket, accessKeyId, secretAccessKey } = store.running
  const deps = { clock: systemClock, random: systemRandom, fileSystem: nodeFileSystem }
  const credentials = { accessKeyId, secretAccessKey }
  return openStore(`s3://${bucket}/lake?endpoint=${endpoint}&path_style=true`, deps, { credentials })
}

async function openCatalog(ground: Ground): Promise<CatalogClient> {
  const store = await openS3Store(ground)
  const { url, password } = ground.database?.running ?? {}
  const { journal, close } = await openJournal({ store, url, password, log: silentLog, mayCreate: false })
  try {
    return await openCatalogReader({ store, journal, clock: systemClock, log: silentLog })
  } finally {
    await close()
  }
}

/**
 * A version hint that was on its way when its publisher was replaced may land after a later one, and is put right a minute after the
 * last version (ingest/publish/table-publisher.ts).
 */
async function areHintsRight(ground: Ground): Promise<boolean> {
  const [catalog, store] = [await openCatalog(ground), await openS3Store(ground)]
  for (const { topic } of topics) {
    if ((await findDisagreements(catalog, store, `floe__${topic}`)).length > 0) return false
  }
  return true
}
