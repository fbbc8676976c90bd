/**
 * Others read what Floe writes. Records go through an ordinary Kafka client into `floe serve` on a local directory and on S3;
 * every reader then answers the same questions about the same tables, and the right answers are computed from the records.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  runPython,
  runSpark,
  type S3,
  sparkDeltaS3Conf,
  sparkIcebergConf,
  startS3,
  startTrino,
  type Trino,
} from '../peers/index.ts'
import { askIcebird, type ReadUrl, readFileUrl } from './readers/ask-icebird.ts'
import { askTrino } from './readers/ask-trino.ts'
import { type FloeProcess, startFloeProcess } from './readers/floe-process.ts'
import { type Answers, type AskedSample, askByJob, type ReadingPlace } from './readers/job.ts'
import { publishSamples, tableConfig } from './readers/publish-samples.ts'
import { askAbout } from './readers/questions.ts'
import { readers } from './readers/readers.ts'
import { type SampleTable, sampleTables } from './readers/sample-tables.ts'

const script = (name: string): string => join(import.meta.dirname, 'readers', name)

interface Place {
  /** With a token, Floe hands out the keys of the store to readers of its catalog. */
  readonly token: string | undefined
  readonly tables: readonly SampleTable[]
  startStore(): Promise<S3 | undefined>
}

/** On S3 it is the way to the bytes that differs: the same tables and rows, and fewer filters. */
const columnsOnS3 = ['k', 's', 'tz', 'f']
const withFewerFilters = (table: SampleTable): SampleTable => ({
  ...table,
  filteredColumns: table.filteredColumns.filter(
    column => table.name.startsWith('part_') || columnsOnS3.includes(column),
  ),
  probedColumns: [],
})

/** Engines take seconds for a query when the machine is busy with other things. */
const answersMsMax = 1_500_000

const places: Readonly<Record<string, Place>> = {
  'a local directory, without sign-in': {
    token: undefined,
    tables: sampleTables,
    startStore: async () => undefined,
  },
  'S3, with a token and keys from the catalog': {
    token: 'a-token-of-this-test',
    tables: sampleTables.map(withFewerFilters),
    startStore: () => startS3(),
  },
}

/** The plan of a small query costs Spark more than its rows: no compiled code, no shuffles, one task for a table's log. */
const sparkConf = {
  'spark.sql.codegen.wholeStage': 'false',
  'spark.sql.codegen.factoryMode': 'NO_CODEGEN',
  'spark.sql.adaptive.enabled': 'false',
  'spark.sql.shuffle.partitions': '1',
  'spark.databricks.delta.snapshotPartitions': '1',
}

describe.each(Object.keys(places))('tables on %s', placeName => {
  const { token, tables, startStore } = places[placeName]!
  const directory = mkdtempSync(join(tmpdir(), 'floe-readers-'))
  let s3: S3 | undefined
  let floe: FloeProcess
  let trino: Trino
  let place: ReadingPlace
  let asked: readonly AskedSample[]
  let answers: Answers

  beforeAll(async () => {
    s3 = await startStore()
    floe = await startFloeProcess({ directory, ...describeServer(directory, s3, token, tables) })
    place = { icebergCatalog: floe.icebergCatalog, token, s3 }
    const samples = await publishSamples(floe, tables)
    asked = samples.map(sample => ({ sample, questions: askAbout(sample) }))
    const fewer = asked.map(({ sample, questions }) => ({ sample, questions: questions.filter(each => each.forAll) }))
    const parts = await Promise.all([
      askIcebird(asked, s3 === undefined ? readFileUrl : readS3Url(s3)).then(async first => ({
        ...first,
        ...(await askByJob(place, asked, (job, out) =>
          runPython(script('ask_python.py'), [job, out], { timeoutMs: answersMsMax }),
        )),
      })),
      askByJob(place, fewer, (job, out) =>
        runSpark(script('ask_spark.py'), [job, out], { conf: describeSpark(place), timeoutMs: answersMsMax }),
      ),
      startTrino({ icebergRestUri: floe.icebergCatalog, ...describeTrino(place) }).then(started => {
        trino = started
        return askTrino(trino, fewer)
      }),
    ])
    answers = Object.assign({}, ...parts) as Answers
  }, answersMsMax)

  afterAll(async () => {
    await trino?.stop()
    await floe?.stop()
    await s3?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it.each(readers)('$name returns what was produced', reader => {
    const problems: string[] = []
    let count = 0
    for (const { sample, questions } of asked) {
      for (const question of questions) {
        const answer = answers[reader.name]?.[sample.table.name]?.[question.id]
        if (answer !== undefined) count++
        const problem = reader.judge(sample, question, answer)
        if (problem !== undefined) problems.push(`${sample.table.name}: ${question.id}: ${problem}`)
      }
    }
    expect(problems).toEqual([])
    expect(count).toBeGreaterThan(40)
  })

  it('holds the same offsets in a version of Iceberg and in that of Delta', () => {
    for (const { sample, questions } of asked) {
      const earlier = questions.filter(({ kind, version }) => kind === 'rows' && (version?.rowCount ?? 0) > 0)
      expect(earlier.length).toBe(sample.rows.length > 0 ? 2 : 0)
      for (const { id } of earlier) {
        const byIceberg = answers['DuckDB, Iceberg REST catalog']?.[sample.table.name]?.[id]
        expect(byIceberg).toEqual(answers['DuckDB, Delta']?.[sample.table.name]?.[id])
      }
    }
  })

  it('answers PyIceberg and DuckDB beyond reading: names, what is not there, what is refused', async () => {
    const said: Record<string, unknown> = {}
    await askByJob(place, asked.slice(0, 1), async (job, out) => {
      await runPython(script('ask_catalog.py'), [job, out])
    }).then(answer => Object.assign(said, answer))
    const signIn = token === undefined ? [['default']] : expect.stringMatching(/^UnauthorizedError: NotAuthorized/)
    expect(said).toEqual({
      namespaces: [['default']],
      tables: tables.map(table => table.name).sort(),
      'tables of nowhere': expect.stringMatching(/^NoSuchNamespaceError: .*Namespace does not exist: nowhere/),
      'table exists': true,
      'nothing exists': false,
      'load nothing': expect.stringMatching(/^NoSuchTableError: .*Table does not exist: default\.nothing/),
      'load from nowhere': expect.stringMatching(/^NoSuchTableError: .*Table does not exist: nowhere\./),
      views: [],
      // The list of endpoints in /v1/config says so before it is tried.
      create: expect.stringMatching(/^NotImplementedError: Server does not support endpoint/),
      drop: expect.stringMatching(/^NotImplementedError: Server does not support endpoint/),
      'set a property': expect.stringMatching(/^NotImplementedError: Server does not support endpoint/),
      'without token': signIn,
      'with a wrong token': signIn,
      'DuckDB with a wrong token': token === undefined ? true : expect.stringMatching(/Unauthorized|401/i),
      'DuckDB asks for nothing': expect.stringMatching(/^CatalogException: .*nothing does not exist/),
    })
  })

  it('answers Trino beyond reading: names, metadata tables, what is not there, what is refused', async () => {
    const ask = async (sql: string): Promise<unknown> =>
      trino.query(sql).then(
        ({ rows }) => rows,
        (error: Error) => error.message.split('\n')[0],
      )
    expect(await ask('SHOW SCHEMAS FROM floe')).toEqual([['default'], ['information_schema'], ['system']])
    const names = tables.map(table => [table.name]).sort()
    expect(await ask('SHOW TABLES FROM floe."default"')).toEqual(names)
    const listed = `SELECT table_name FROM floe.information_schema.tables WHERE table_schema = 'default' ORDER BY 1`
    expect(await ask(listed)).toEqual(names)
    expect(await ask('SELECT count(*) FROM floe."default"."types_json$snapshots"')).toEqual([[13]])
    expect(await ask('SELECT sum(record_count) FROM floe."default"."part_day$files"')).toEqual([[24]])
    expect(await ask('SELECT sum(record_count) FROM floe."default"."part_mixed$partitions"')).toEqual([[24]])
    expect(await ask('SELECT * FROM floe."default".nothing')).toMatch(/TABLE_NOT_FOUND/)
    expect(await ask('SELECT * FROM floe.system.nothing')).toMatch(/SCHEMA_NOT_FOUND|TABLE_NOT_FOUND/)
    expect(await ask('SELECT * FROM floe.nowhere.nothing')).toMatch(/SCHEMA_NOT_FOUND/)
    expect(await ask('CREATE TABLE floe."default".mine (k INTEGER)')).toMatch(/does not support endpoint/)
    expect(await ask('DROP TABLE floe."default".types_json')).not.toEqual([])
    expect(await ask('SELECT count(*) FROM floe."default".types_json')).toEqual([[50]])
  })
})

function describeServer(
  directory: string,
  s3: S3 | undefined,
  token: string | undefined,
  tables: readonly SampleTable[],
): { config: object; environment: Record<string, string>; token: string | undefined } {
  const store =
    s3 === undefined
      ? { data_dir: directory }
      : {
          destination_bucket_url: `s3://${s3.bucket}/lake`,
          storage: {
            endpoint: s3.endpoint,
            region: s3.region,
            path_style: true,
            access_key_id_env: 'STORE_KEY_ID',
            secret_access_key_env: 'STORE_KEY',
          },
          catalog: { vend_credentials: token !== undefined },
        }
  return {
    config: {
      ...store,
      kafka: { port: 0 },
      http: { port: 0, ...(token !== undefined && { bearer_token_env: 'CATALOG_TOKEN' }) },
      broker: { flush_interval: '5ms' },
      log: { level: 'warn' },
      tables: tables.map(tableConfig),
    },
    environment: {
      ...(s3 !== undefined && { STORE_KEY_ID: s3.accessKeyId, STORE_KEY: s3.secretAccessKey }),
      ...(token !== undefined && { CATALOG_TOKEN: token }),
    },
    token,
  }
}

/** Delta has no catalog that could hand out keys; Iceberg gets them from Floe. */
function describeSpark({ icebergCatalog, token, s3 }: ReadingPlace): Record<string, string> {
  if (s3 === undefined || token === undefined) return { ...sparkConf, ...sparkIcebergConf('floe', icebergCatalog) }
  const { region } = s3
  return {
    ...sparkConf,
    ...sparkIcebergConf('floe', icebergCatalog, { token }),
    'spark.sql.catalog.floe.io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
    'spark.sql.catalog.floe.header.X-Iceberg-Access-Delegation': 'vended-credentials',
    'spark.sql.catalog.floe.client.region': region,
    ...sparkDeltaS3Conf(s3),
  }
}

/** Trino 476 takes handed-out keys only when there are three of them: a session token, too, which lasting keys do not have. */
function describeTrino({ token, s3 }: ReadingPlace): Pick<Parameters<typeof startTrino>[0], 'token' | 's3'> {
  return { ...(token !== undefined && { token }), ...(s3 !== undefined && { s3 }) }
}

/** icebird asks Amazon for `s3://bucket/key`: https://bucket.s3.amazonaws.com/key. */
function readS3Url(s3: S3): ReadUrl {
  const { endpoint, region, bucket: Bucket, accessKeyId, secretAccessKey } = s3
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
  return async url => {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: decodeURIComponent(url.pathname.slice(1)) }))
    return answer.Body!.transformToByteArray()
  }
}
