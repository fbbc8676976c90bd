/**
 * How long a record takes from its acknowledged produce to being visible in the Iceberg REST catalog, at `freshness: 1s`: a
 * whole `floe serve` in its own process on the local directory store, an ordinary client producing a steady trickle, and
 * `loadTable` asked over and over with its ETag until the snapshot counts the record.
 *
 *   node bench/freshness.ts [--seconds N] [--per-second N]
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Producer, stringSerializers } from '@platformatic/kafka'
import { freePorts } from '../test/peers/process.ts'

const { values: args } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, 'per-second': { type: 'string', default: '20' } },
})
const recordCount = Number(args.seconds) * Number(args['per-second'])
const directory = mkdtempSync(join(tmpdir(), 'floe-freshness-'))
const [kafkaPort, httpPort] = await freePorts(2)
const config = join(directory, 'floe.yaml')
writeFileSync(
  config,
  `data_dir: ${directory}/data
kafka: { port: ${kafkaPort} }
http: { port: ${httpPort} }
tables:
  - source_cluster_name: floe
    source_topic: ticks
    source_format: json
    table_name: ticks
    freshness: 1s
    schema: { fields: [{ name: n, type: long }] }
`,
)
const server = spawn(process.execPath, ['bin/floe.js', 'serve', '-c', config], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
const tableUrl = `http://127.0.0.1:${httpPort}/catalog/iceberg/v1/namespaces/default/tables/ticks`

async function untilReady(): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(100)
  }
  throw new Error('floe serve did not become ready')
}

const acknowledgedMs: number[] = []
const visibleMs: number[] = []

/** Notes for each record when the catalog first counted it. */
async function watchCatalog(): Promise<void> {
  let etag = ''
  while (visibleMs.length < recordCount) {
    const answer = await fetch(tableUrl, { headers: etag === '' ? {} : { 'if-none-match': etag } })
    if (answer.status === 200) {
      etag = answer.headers.get('etag') ?? ''
      const total = /"total-records"\s*:\s*"(\d+)"/g
      const counts = [...(await answer.text()).matchAll(total)].map(match => Number(match[1]))
      const visible = Math.max(0, ...counts)
      const now = performance.now()
      while (visibleMs.length < visible) visibleMs.push(now)
    } else {
      await answer.arrayBuffer()
    }
    await sleep(10)
  }
}

try {
  await untilReady()
  const producer = new Producer({
    clientId: 'freshness',
    bootstrapBrokers: [`127.0.0.1:${kafkaPort}`],
    serializers: stringSerializers,
    autocreateTopics: true,
  })
  const send = async (n: number): Promise<void> => {
    await producer.send({ messages: [{ topic: 'ticks', value: `{"n":${n}}` }] })
    acknowledgedMs.push(performance.now())
  }
  await send(0)
  const watching = watchCatalog()
  const startedMs = performance.now()
  const sends: Promise<void>[] = []
  for (let n = 1; n < recordCount; n++) {
    sends.push(send(n))
    await sleep(Math.max(0, startedMs + (n * 1000) / Number(args['per-second']) - performance.now()))
  }
  await Promise.all(sends)
  await watching
  await producer.close()
} finally {
  server.kill('SIGTERM')
  await new Promise(resolve => server.once('exit', resolve))
  rmSync(directory, { recursive: true, force: true })
}

// The first records also wait for the topic to be noticed.
const settled = acknowledgedMs.slice(Number(args['per-second']) * 5)
const delaysMs = settled
  .map((acknowledged, index) => visibleMs[index + acknowledgedMs.length - settled.length]! - acknowledged)
  .toSorted((a, b) => a - b)
const percentile = (share: number): number => Math.round(delaysMs[Math.floor((delaysMs.length - 1) * share)]!)
const result = {
  program: 'bench/freshness.ts',
  machine: { cores: availableParallelism(), model: cpus()[0]?.model, node: process.version },
  freshness: '1s',
  records: delaysMs.length,
  visibleAfterMs: { p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99), max: percentile(1) },
}
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/freshness.json', `${JSON.stringify(result, undefined, 2)}\n`)
