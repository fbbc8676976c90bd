/** The command line as its users meet it: processes, exit codes, output. */
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Producer } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const floe = join(root, 'bin/floe.js')
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'floe-cli-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(...args: string[]): Promise<Ended> {
  const env = { ...process.env, FLOE_TOKEN: '', MY_USER: '' }
  return new Promise(resolve => {
    execFile(process.execPath, [floe, ...args], { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr })
    })
  })
}

function writeConfig(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('check tells what is valid and exits 0', async () => {
  const ended = await run('check', 'examples/seed.yaml', 'examples/quickstart.yaml', 'examples/demo.yaml')
  expect(ended).toMatchObject({
    code: 0,
    stdout: [
      'examples/seed.yaml: ok, 2 tables: benchmark__example_json_logs_topic, benchmark__example_avro_events_topic',
      'examples/quickstart.yaml: ok, 1 table: floe__orders',
      'examples/demo.yaml: ok, 3 tables: orders, clicks, payments\n',
    ].join('\n'),
  })
  expect(ended.stderr.split('\n')).toContain(
    'examples/seed.yaml: note: not set here, and needed to serve: YOUR_SASL_USERNAME (source_clusters[0].credentials.sasl_username_env)',
  )
})

test('check names every mistake, as text and as JSON, and exits 1', async () => {
  const path = writeConfig('bad.yaml', 'kafka: { prt: 1 }\nhttp: { port: -1 }\n')
  const problems = [
    `${path}:1:10: kafka.prt: unknown key; did you mean \`port\`?`,
    `${path}:2:15: http.port: must lie between 0 and 65535, is -1`,
  ]
  expect(await run('check', path)).toEqual({ code: 1, stdout: '', stderr: `${problems.join('\n')}\n` })
  const json = await run('check', '--json', path, 'examples/quickstart.yaml')
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout)).toMatchObject({ valid: false, files: [{ valid: false, problems }, { valid: true }] })
})

test('check reads schemas in their own languages', async () => {
  const path = writeConfig(
    'proto.yaml',
    'tables:\n  - { source_cluster_name: floe, source_topic: t, source_format: protobuf, input_schema: "message {" }\n',
  )
  const ended = await run('check', path)
  expect(ended.code).toBe(1)
  expect(ended.stderr).toMatch(new RegExp(`^${RegExp.escape(path)}:2:5: table floe__t: .`))
})

test.each([
  [['check', 'no-such.yaml'], 'no-such.yaml: there is no such file\n'],
  [
    ['tables', '-c', 'examples/quickstart.yaml', '--data-dir', '/nowhere/else'],
    'floe: there is no Floe store at /nowhere/else/store: name it with -c FILE or --data-dir DIR, or ask a running server with --url\n',
  ],
  [
    ['tables', '--data-dir', '/nowhere'],
    'floe: there is no Floe store at /nowhere/store: name it with -c FILE or --data-dir DIR, or ask a running server with --url\n',
  ],
  [['tabels'], "error: unknown command 'tabels'\n(Did you mean tables?)\n(floe --help shows the commands)\n"],
  [
    ['demo', '--kafka-port', 'x'],
    "error: option '--kafka-port <port>' argument 'x' is invalid. must be a whole number from 0 to 65535.\n(floe --help shows the commands)\n",
  ],
])('floe %j fails with one clear line', async (args, stderr) => {
  expect(await run(...args)).toEqual({ code: 1, stdout: '', stderr })
})

test('a server that does not answer is named', async () => {
  const { port, close } = await listenSomewhere()
  await close()
  const url = `http://127.0.0.1:${port}`
  expect((await run('tables', '--url', url)).stderr).toBe(
    `floe: no Floe answers at ${url}: connect ECONNREFUSED 127.0.0.1:${port}; start one with floe serve, or leave --url out\n`,
  )
})

async function listenSomewhere(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return { port, close: () => new Promise(resolve => server.close(() => resolve())) }
}

test('serve without its secrets says which one is missing', async () => {
  const path = writeConfig('secret.yaml', `data_dir: ${folder}/s\nhttp: { bearer_token_env: MY_USER }\n`)
  expect(await run('serve', '-c', path)).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'floe: the environment variable MY_USER (named by http.bearer_token_env) is not set: set it and start again\n',
  })
})

test('a port that is taken is told with the key that names it', async () => {
  const { port, close } = await listenSomewhere()
  const path = writeConfig('taken.yaml', `data_dir: ${folder}/taken\nkafka: { port: ${port} }\nlog: { level: error }\n`)
  const ended = await run('serve', '-c', path)
  await close()
  expect(ended).toEqual({
    code: 1,
    stdout: '',
    stderr: `floe: cannot listen on 127.0.0.1:${port}: another program does; stop it, or set kafka.port\n`,
  })
})

interface Served {
  readonly kafka: string
  readonly http: string
  readonly icebergCatalog: string
  stop(signal: NodeJS.Signals): Promise<number | null>
}

async function serve(config: string): Promise<Served> {
  const child = spawn(process.execPath, [floe, 'serve', '--json', '-c', config], { cwd: root })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const ended = new Promise<number | null>(resolve => child.on('exit', resolve))
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    ended.then(() => reject(new Error(`serve ended: ${stderr}`)))
  })
  return {
    ...(JSON.parse(line) as Served),
    stop(signal) {
      child.kill(signal)
      return ended
    },
  }
}

test('records become rows that every command shows, beside the server, through it and without it', async () => {
  const path = writeConfig(
    'serve.yaml',
    `data_dir: ${folder}/served
kafka: { port: 0 }
http: { port: 0 }
log: { level: error }
tables:
  - source_cluster_name: floe
    source_topic: orders
    source_format: json
    freshness: 200ms
    schema: { fields: [{ name: id, type: long, required: true }, { name: name, type: string }] }
`,
  )
  const server = await serve(path)
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [server.kafka], autocreateTopics: true })
  const values = ['{"id": 1, "name": "é"}', '{"id": 2}', '{"id": null}', '{"id": 9007199254740993}']
  await producer.send({ messages: values.map(value => ({ topic: 'orders', value: Buffer.from(value) })) })
  await producer.close()
  const readTable = async (): Promise<unknown> => (await fetch(`${server.http}/api/v1/tables/floe__orders`)).json()
  await expect.poll(readTable, { timeout: 20_000 }).toMatchObject({ rows: '3', published: { rows: '3' } })
  // A second server on the same directory would only fight with the first.
  const [beside, through, second] = await Promise.all([
    run('tables', '--json', '-c', path),
    run('table', 'floe__orders', '--json', '--url', server.http),
    run('serve', '-c', path),
  ])
  expect(JSON.parse(beside.stdout).tables).toEqual([
    expect.objectContaining({ name: 'floe__orders', rows: '3', deadLetters: '1', ingest: null }),
  ])
  const asked = JSON.parse(through.stdout)
  expect(asked).toMatchObject({
    rows: '3',
    ingest: { state: 'running', lagRecords: '0' },
    coverage: [{ partition: 0, start: '0', end: '4', written: '3', rejected: '1' }],
  })
  const loaded = await (await fetch(`${server.icebergCatalog}/v1/namespaces/default/tables/floe__orders`)).text()
  expect(loaded).toContain(`"current-snapshot-id":${asked.published.icebergSnapshot}`)
  expect(await (await fetch(`${server.http}/readyz`)).text()).toBe('ok\n')
  expect(await (await fetch(`${server.http}/metrics`)).text()).toContain('floe_table_rows{table="floe__orders"} 3')

  expect([second.code, second.stderr]).toEqual([
    1,
    expect.stringMatching(
      /^floe: process \d+ serves .*\/served\/store already: stop it first, or use another data_dir\n$/,
    ),
  ])

  expect(await server.stop('SIGTERM')).toBe(0)
  const [verified, selected, wrong, written, checked, inspected, exported, shown, listed, topics] = await Promise.all([
    run('verify', 'floe__orders', '--json', '-c', path),
    run('sql', '-c', path, 'select id, name from floe__orders order by id'),
    run('sql', '-c', path, 'select * from floe__order'),
    run('sql', '-c', path, `copy floe__orders to '${folder}/stolen.csv'`),
    run('catalog', 'check', '--json', '-c', path),
    run('catalog', 'inspect', '-c', path),
    run('catalog', 'export', '-c', path),
    run('dlq', 'show', 'floe__orders', '--json', '-c', path),
    run('dlq', 'list', '-c', path),
    run('topics', '-c', path),
  ])
  expect(verified.code).toBe(0)
  expect(JSON.parse(verified.stdout)).toMatchObject({
    proved: true,
    tables: [{ rows: '3', deadLetters: '1', missing: '0', duplicated: '0' }],
  })
  expect(selected.stdout).toBe(
    '              id  name\n               1  é\n               2  null\n9007199254740993  null\n',
  )
  expect([wrong.code, wrong.stderr]).toEqual([1, 'floe: there is no table floe__order; did you mean `floe__orders`?\n'])
  expect([written.code, written.stderr]).toEqual([
    1,
    'floe: COPY is not a question: only select and its like are answered here\n',
  ])
  expect(JSON.parse(checked.stdout)).toMatchObject({ isWhole: true, problems: [] })
  expect(inspected.stdout).toMatch(/\ntables +1\ndata files +1\n/)
  const exportedRows = exported.stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(exportedRows.filter(({ kind }) => kind === 'data-file')).toMatchObject([
    { table: 'floe__orders', recordCount: 3 },
  ])
  expect(inspected.stdout).toMatch(/\nformat level +1\n/)
  expect(inspected.stdout).toMatch(/\njournal +in the object store, entry /)
  const move = (to: string): Promise<Ended> => run('catalog', 'move', '--to', to, '-c', path)
  expect(await move('store')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^the journal is in the object store already: catalog .*, entry \d+, state [0-9a-f]+\n$/,
    ),
  })
  expect(await move('mysql://floe@db/lake')).toMatchObject({
    code: 1,
    stderr:
      'floe: journal URL "mysql://floe@db/lake" is not valid: it must look like postgres://user@host:5432/database\n',
  })
  expect(await move('postgres://floe@127.0.0.1:1/lake')).toMatchObject({
    code: 1,
    stderr:
      'floe: cannot read or write the journal in postgres://127.0.0.1:1/lake: connect ECONNREFUSED 127.0.0.1:1; ' +
      'check the address, the network and that the server runs\n',
  })
  expect(JSON.parse(shown.stdout).letters).toEqual([
    expect.objectContaining({
      partition: 0,
      offset: '2',
      code: 'missing-required-field',
      value: Buffer.from('{"id": null}').toString('base64'),
      headers: [],
    }),
  ])
  expect(listed.stdout).toMatch(/^table +dead letters +files +newest\nfloe__orders +1 +1 +20/)
  expect(topics.stdout).toBe('topic   partitions  records  configs\norders           1        4\n')
}, 60_000)

test('a server killed without warning leaves nothing that hinders the next one', async () => {
  const path = writeConfig(
    'killed.yaml',
    `data_dir: ${folder}/killed\nkafka: { port: 0 }\nhttp: { port: 0 }\nlog: { level: error }\n`,
  )
  await (await serve(path)).stop('SIGKILL')
  const again = await serve(path)
  expect(await again.stop('SIGINT')).toBe(0)
})
