/** The demo end to end: real client, broker, ingestion, both table formats, proof. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'floe-demo-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Demo {
  /** Everything said on standard output so far. */
  stdout(): string
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
}

function startDemo(...args: string[]): Demo {
  const child = spawn(process.execPath, ['bin/floe.js', 'demo', '--data-dir', folder, '--json', ...args], { cwd: root })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  return {
    stdout: () => stdout,
    kill: signal => child.kill(signal),
    ended: new Promise(resolve => child.on('close', code => resolve({ code, stdout, stderr }))),
  }
}

interface Totals {
  readonly records: number
  readonly recordsTotal: number
  readonly seconds: number
  readonly tables: readonly {
    readonly name: string
    readonly rows: number
    readonly deadLetters: number
    readonly missing: number
    readonly duplicated: number
    readonly icebergSnapshot: string
    readonly deltaVersion: number
  }[]
}

async function runOnce(records: number): Promise<Totals> {
  const { code, stdout, stderr } = await startDemo('--once', '--records', String(records)).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Totals
}

test('records are produced, published and proved; later runs go on, also after one that was stopped', async () => {
  const first = await runOnce(3_000)
  expect(first).toMatchObject({ records: 3_000, recordsTotal: 3_000 })
  expect(first.seconds).toBeGreaterThan(0)
  expect(first.tables.map(({ name, rows, deadLetters }) => [name, rows, deadLetters])).toEqual([
    ['orders', 1_198, 2],
    ['clicks', 1_498, 2],
    ['payments', 299, 1],
  ])
  for (const table of first.tables) {
    expect(table).toMatchObject({ missing: 0, duplicated: 0 })
    expect(table.icebergSnapshot).toMatch(/^\d+$/)
    expect(table.deltaVersion).toBeGreaterThan(0)
  }

  // The live demo prints its places at once, streams, and drains within five seconds of Ctrl-C.
  const live = startDemo('--kafka-port', '0', '--http-port', '0')
  await expect.poll(() => live.stdout(), { timeout: 20_000 }).not.toBe('')
  const places = JSON.parse(live.stdout()) as { http: string }
  const countRows = async (): Promise<number> => {
    const status = (await (await fetch(`${places.http}/api/v1/status`)).json()) as { rows: string }
    return Number(status.rows)
  }
  await expect.poll(countRows, { timeout: 20_000 }).toBeGreaterThan(3_000)
  const stoppedMs = performance.now()
  live.kill('SIGINT')
  expect(await live.ended).toMatchObject({ code: 0 })
  expect(performance.now() - stoppedMs).toBeLessThan(5_000)

  const last = await runOnce(1_000)
  const counted = last.tables.reduce((sum, table) => sum + table.rows + table.deadLetters, 0)
  expect(last.recordsTotal).toBe(counted)
  expect(last.recordsTotal).toBeGreaterThan(4_000)
}, 120_000)
