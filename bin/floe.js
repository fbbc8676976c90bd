#!/usr/bin/env node
// The only plain JavaScript: Node.js older than 24 must be able to read it, and to say what is missing in one line.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fixYoungGeneration } from './young-generation.js'

const nodeMajorMin = 24

if (Number(process.versions.node.split('.')[0]) >= nodeMajorMin) {
  fixYoungGeneration()
  // Every durable write waits for the disk in one of these threads; with Node's four, a journal entry queues behind segments.
  process.env.UV_THREADPOOL_SIZE ??= '16'
  const { main } = await import('./main.ts')
  await main(process.argv)
} else {
  // The `node` package in devDependencies brings the runtime to a checkout on an older machine.
  const own = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))
  if (existsSync(own)) {
    const child = spawn(own, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
    // The terminal sends Ctrl-C to both; what is sent to this process alone is passed on.
    process.on('SIGINT', () => {})
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
    child.on('error', error => {
      process.stderr.write(`floe: cannot start ${own}: ${error.message}\n`)
      process.exitCode = 1
    })
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1)
    })
  } else {
    process.stderr.write(
      `floe: needs Node.js ${nodeMajorMin} or newer and runs on ${process.versions.node}: install it, or run npm ci in the checkout\n`,
    )
    process.exitCode = 1
  }
}
