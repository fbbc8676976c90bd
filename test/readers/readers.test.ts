/**
 * Others read what Floe writes. Records go through an ordinary Kafka client into `floe serve` on a local directory and on S3;
 * every reader then answers the same questions about the same tables, and the right answers are computed from the records.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runPython, type S3, startS3, type Trino } from '../peers/index.ts'
import { answersMsMax, askEveryone, readerScript, startTrinoAt } from './ask-everyone.ts'
import { type FloeProcess, startFloeProcess } from './floe-process.ts'
import { type Answers, type AskedSample, askByJob, type ReadingPlace } from './job.ts'
import { publishSamples, tableConfig } from './publish-samples.ts'
import { askAbout } from './questions.ts'
import { readers } from './readers.ts'
import { type SampleTable, sampleTables } from './sample-tables.ts'

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

describe.each(Object.keys(places))('tables on %s', placeName => {
  const { token, tables, startStore } = places[placeName]!
  const directory = mkdtempSync(join(tmpdir(), 'floe-readers-'))
  let s3: S3 | undefined
  let floe: FloeProcess
  let trino: Promise<Trino>
  let place: ReadingPlace
  let asked: readonly AskedSample[]
  let answers: Answers

  beforeAll(async () => {
    s3 = await startStore()
    floe = await startFloeProcess({ directory, ...describeServer(directory, s3, token, tables) })
    place = { icebergCatalog: floe.icebergCatalog, token, s3 }
    const samples = await publishSamples(floe, tables)
    asked = samples.map(sample => ({ sample, questions: askAbout(sample) }))
    trino = startTrinoAt(place)
    answers = await askEveryone(place, asked, trino)
  }, answersMsMax)

  afterAll(async () => {
    await (await trino)?.stop()
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
      await runPython(readerScript('ask_catalog.py'), [job, out])
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
      (await trino).query(sql).then(
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
