/**
 * `floe demo`: everything in one process, fed by sample producers over real Kafka connections.
 *
 * Live: a steady stream until Ctrl-C. `--once`: 100,000 records (or `--records`), published and verified, then the totals. Either goes on where an
 * earlier run in the same directory ended.
 */
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { toJson } from '../../api/json.ts'
import type { ValidatedConfig } from '../../config/config.ts'
import { systemClock } from '../../core/clock.ts'
import { FloeError } from '../../core/errors.ts'
import { verifyTable } from '../../ingest/verify/verify-table.ts'
import { loadConfig } from '../cli/load-config.ts'
import { formatCount, formatTable, type Output } from '../cli/output.ts'
import { describeWaysToLook } from '../demo/hints.ts'
import { LiveView } from '../demo/live-view.ts'
import { countRecords, createProducer, createTopics, type DemoProducer } from '../demo/producers.ts'
import { readProgress, type TableProgress } from '../demo/progress.ts'
import { createSampleTopics } from '../demo/sample-data.ts'
import { readVersion } from '../main.ts'
import { type FloeServer, startFloe } from '../server/floe-server.ts'
import { closeInTime, watchStopSignals } from '../server/until-stopped.ts'

export interface DemoOptions {
  readonly once?: boolean
  /** Records of one run with `once`. */
  readonly records: number
  readonly dataDir: string
  readonly kafkaPort?: number
  readonly httpPort?: number
}

const onceBatchCount = 5_000
/** Records a second of the live stream, at its calmest and busiest. */
const liveRateMin = 200
const liveRateMax = 1_200
const liveWaveMs = 60_000
const tickMs = 250
const drawMs = 500
const publishWaitMsMax = 120_000

export async function runDemo(options: DemoOptions, output: Output): Promise<void> {
  const config = await configureDemo(options)
  const stopping = watchStopSignals()
  const view = new LiveView()
  let lost: FloeError | undefined
  const server = await startFloe({
    config,
    environment: process.env,
    log: view.log,
    version: readVersion(),
    onLost: error => {
      lost = error
      stopping.stop()
    },
  })
  const producers: DemoProducer[] = []
  const close = async (): Promise<void> => {
    await Promise.all(producers.map(producer => producer.close()))
    await server.close()
  }
  try {
    const samples = createSampleTopics(config.tables)
    await createTopics(samples, server.catalog, server.kafkaPort)
    for (const sample of samples) {
      producers.push(createProducer(sample, server.kafkaPort, await countRecords(server.catalog, sample.topic)))
    }
    if (options.once === true) await runOnce(server, producers, options.records, output, stopping.signal)
    else await runLive(server, producers, view, options.dataDir, output, stopping.signal)
  } finally {
    await closeInTime(close)
  }
  if (lost !== undefined) throw lost
}

async function configureDemo(options: DemoOptions): Promise<ValidatedConfig> {
  const config = loadConfig(fileURLToPath(new URL('../../examples/demo.yaml', import.meta.url)))
  const { server } = config
  // One run needs no known ports; the live demo takes the usual ones where they are free.
  const choose = async (asked: number | undefined, usual: number): Promise<number> =>
    asked ?? (options.once === true || !(await isPortFree(usual)) ? 0 : usual)
  return {
    ...config,
    server: {
      ...server,
      dataDir: options.dataDir,
      kafka: { ...server.kafka, port: await choose(options.kafkaPort, server.kafka.port) },
      http: { ...server.http, port: await choose(options.httpPort, server.http.port) },
      broker: { ...server.broker, flushIntervalMs: 100 },
    },
  }
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

// ── Once ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function runOnce(
  server: FloeServer,
  producers: readonly DemoProducer[],
  recordCount: number,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = systemClock.monotonicMs()
  const recordsBefore = await countAll(server, producers)
  await Promise.all(
    producers.map(async producer => {
      let remaining = Math.ceil((recordCount * producer.sample.percent) / 100)
      while (remaining > 0) {
        throwIfStopped(signal)
        const count = Math.min(remaining, onceBatchCount)
        await producer.produce(count)
        remaining -= count
        const produced = producers.reduce((sum, each) => sum + each.producedCount, 0)
        output.progress(`${formatCount(produced)} of ${formatCount(recordCount)} records produced`)
      }
    }),
  )
  const records = producers.reduce((sum, each) => sum + each.producedCount, 0)
  const recordsTotal = await countAll(server, producers)
  await waitUntilPublished(server, output, signal)
  const seconds = Math.round((systemClock.monotonicMs() - startedMs) / 10) / 100
  const tables = []
  let allProved = recordsTotal - recordsBefore === records
  for (const progress of await readProgress(server)) {
    output.progress(`verifying ${progress.name}`)
    const report = await verifyTable(server, progress.name)
    allProved &&= report.proved
    tables.push({
      name: progress.name,
      rows: Number(report.rows),
      deadLetters: Number(report.deadLetters),
      missing: Number(report.missing),
      duplicated: Number(report.duplicated),
      icebergSnapshot: progress.icebergSnapshot ?? null,
      deltaVersion: progress.deltaVersion ?? null,
    })
    if (!report.proved) for (const problem of report.problems) output.note(`${progress.name}: ${problem}`)
  }
  output.progress('')
  const counted = tables.reduce((sum, table) => sum + table.rows + table.deadLetters, 0)
  allProved &&= counted === recordsTotal
  const result = { records, seconds, recordsTotal, tables }
  if (output.isJson) output.line(toJson(result))
  else {
    const right = 'right' as const
    const rows = tables.map(table => [
      table.name,
      formatCount(table.rows),
      formatCount(table.deadLetters),
      formatCount(table.missing),
      formatCount(table.duplicated),
      String(table.icebergSnapshot ?? '-'),
      String(table.deltaVersion ?? '-'),
    ])
    const headers = ['table', 'rows', 'dead letters', 'missing', 'duplicated', 'iceberg snapshot', 'delta version']
    output.line(formatTable(headers, rows, ['left', ...Array<'right'>(6).fill(right)]))
    output.line(`${formatCount(records)} records produced, published and verified in ${seconds} s`)
  }
  if (!allProved) {
    throw new FloeError(
      'corrupt',
      'demo-not-proved',
      `the topics hold ${recordsTotal} records (${recordsBefore} before this run), the tables account for ${counted}: please report this`,
    )
  }
}

async function countAll(server: FloeServer, producers: readonly DemoProducer[]): Promise<number> {
  let sum = 0
  for (const { sample } of producers) sum += await countRecords(server.catalog, sample.topic)
  return sum
}

async function waitUntilPublished(server: FloeServer, output: Output, signal: AbortSignal): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + publishWaitMsMax
  for (;;) {
    throwIfStopped(signal)
    const progress = await readProgress(server)
    const waiting = progress.filter(table => table.lag > 0 || !table.isPublished)
    if (waiting.length === 0) return
    const first = waiting[0] as TableProgress
    if (systemClock.monotonicMs() > deadlineMs || first.state === 'stopped') {
      throw new FloeError(
        'unavailable',
        'demo-not-published',
        `table ${first.name} is ${first.state} with ${first.lag} records to go: ${first.reason ?? 'it takes too long'}`,
      )
    }
    output.progress(`waiting for ${waiting.map(table => `${table.name} (${formatCount(table.lag)} to go)`).join(', ')}`)
    await systemClock.sleep(50, signal)
  }
}

function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted)
    throw new FloeError('unavailable', 'demo-stopped', 'stopped before the end; run it again to go on')
}

// ── Live ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

async function runLive(
  server: FloeServer,
  producers: readonly DemoProducer[],
  view: LiveView,
  dataDir: string,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const ways = await describeWaysToLook(server, dataDir)
  const places = {
    kafka: `127.0.0.1:${server.kafkaPort}`,
    http: `http://127.0.0.1:${server.httpPort}`,
    store: server.store.uri,
  }
  output.result(
    places,
    () => `Kafka on ${places.kafka}, HTTP on ${places.http}, all kept in ${places.store}\n\n${ways}\n`,
  )
  const failed = new AbortController()
  const running = AbortSignal.any([signal, failed.signal])
  const streams = producers.map(producer => streamRecords(producer, running))
  const drawing = drawProgress(server, view, running)
  try {
    await Promise.all([...streams, drawing])
  } catch (error) {
    failed.abort()
    await Promise.allSettled([...streams, drawing])
    if (!signal.aborted) throw error
  }
  output.note('stopping: committing and publishing what was produced')
}

/** A rate that goes up and down, as shops do. */
async function streamRecords(producer: DemoProducer, signal: AbortSignal): Promise<void> {
  let owed = 0
  while (!signal.aborted) {
    const wave = (1 + Math.sin((systemClock.monotonicMs() / liveWaveMs) * 2 * Math.PI)) / 2
    const rate = ((liveRateMin + wave * (liveRateMax - liveRateMin)) * producer.sample.percent) / 100
    owed += (rate * tickMs) / 1000
    const count = Math.floor(owed)
    owed -= count
    if (count > 0) await producer.produce(count)
    await systemClock.sleep(tickMs, signal)
  }
}

async function drawProgress(server: FloeServer, view: LiveView, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    view.draw(await readProgress(server), systemClock.monotonicMs(), 'Ctrl-C stops; the next start goes on from here.')
    await systemClock.sleep(drawMs, signal)
  }
}
