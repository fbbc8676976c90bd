/**
 * Every command that the README and the docs show in a `sh` block is run here as it stands, in a directory that looks like a
 * checkout after `floe demo`; commands that CI itself runs are looked up in `.ci/run`. A command that is neither fails the test.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const floe = join(root, 'bin/floe.js')
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter(isPage)
    .map(name => `docs/${name}`),
]
const runMsMax = 120_000

function isPage(name: string): boolean {
  return name.endsWith('.md')
}

interface Shown {
  readonly place: string
  readonly command: string
}

function findCommands(page: string): Shown[] {
  const shown: Shown[] = []
  let isInside = false
  for (const [index, line] of readFileSync(join(root, page), 'utf8').split('\n').entries()) {
    if (line.startsWith('```')) isInside = line === '```sh'
    else if (isInside && line.trim() !== '' && !line.startsWith('#')) {
      shown.push({ place: `${page}:${index + 1}`, command: line.trim() })
    }
  }
  return shown
}

const all = pages.flatMap(findCommands)
const isServer = (command: string): boolean => /^npx floe (serve|demo(?! --once))/.test(command)
const isFloe = (command: string): boolean => command.startsWith('npx floe ')

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'floe-docs-'))
  symlinkSync(join(root, 'examples'), join(directory, 'examples'))
  execFileSync(process.execPath, [floe, 'demo', '--once'], { cwd: directory, timeout: runMsMax, stdio: 'ignore' })
}, runMsMax)

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('commands shown in the documentation', () => {
  it('are there at all', () => {
    expect(all.length).toBeGreaterThan(5)
  })

  it.each(all.filter(({ command }) => isFloe(command) && !isServer(command)))('$place: $command', ({ command }) => {
    const line = `"${process.execPath}" "${floe}" ${command.slice('npx floe '.length)}`
    execFileSync('sh', ['-c', line], { cwd: directory, timeout: runMsMax, stdio: 'pipe' })
  })

  it.each(all.filter(({ command }) => isServer(command)))('$place: $command', async ({ command }) => {
    const line = `exec "${process.execPath}" "${floe}" ${command.slice('npx floe '.length)}`
    await startAndStop(spawn('sh', ['-c', line], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] }))
  })

  it.each(all.filter(({ command }) => !isFloe(command)))('$place: $command is run by CI', ({ command }) => {
    const ci = readFileSync(join(root, '.ci/run'), 'utf8')
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const part of command.split('&&').map(each => each.trim())) {
      // The demo is what `npm start` starts; the test below runs it.
      if (part === 'npm start') expect(scripts.start).toBe('node bin/floe.js demo')
      else expect(ci, `.ci/run runs ${part}`).toContain(part.replace(/^npm run (--silent )?/, ''))
    }
  })

  it('npm start, the demo, runs until it is told to stop', async () => {
    const demo = spawn(process.execPath, [floe, 'demo'], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
    await startAndStop(demo)
  })
})

/** Waits for the line that names the HTTP port, then stops it as Ctrl-C would: it must end well within five seconds. */
async function startAndStop(child: ChildProcess): Promise<void> {
  let output = ''
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  const listen = (chunk: Buffer): void => {
    output += chunk.toString()
    if (/HTTP.*http:\/\/127\.0\.0\.1:\d+/.test(output)) resolve()
  }
  child.stdout?.on('data', listen)
  child.stderr?.on('data', listen)
  const ended = new Promise<number | null>(done => child.once('exit', code => done(code)))
  ended.then(code => reject(new Error(`it ended with ${code} before it was ready: ${output}`)))
  await ready
  const stoppedAt = performance.now()
  child.kill('SIGINT')
  expect(await ended, output).toBe(0)
  expect(performance.now() - stoppedAt).toBeLessThan(5_000)
}
