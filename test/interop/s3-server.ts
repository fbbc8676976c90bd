/** Starts the S3-compatible server that scripts/peers/install.sh installed, on a free loopback port with a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RunningS3 {
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  stop(): Promise<void>
}

export async function startS3(): Promise<RunningS3> {
  const port = await findFreePort()
  const data = await mkdtemp(join(tmpdir(), 'floe-s3-'))
  const script = new URL('../../scripts/peers/s3.sh', import.meta.url).pathname
  const server = spawn(script, ['--port', String(port), '--data', data], { stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill()
      await once(server, 'exit')
    }
    await rm(data, { recursive: true, force: true })
  }
  try {
    await waitUntilReady(server)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    bucket: 'floe',
    accessKeyId: 'floe',
    secretAccessKey: 'floe-secret',
    stop,
  }
}

/** The script prints a line `ready ENDPOINT BUCKET`, or says what is missing and ends. */
function waitUntilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      if (/^ready /m.test(output)) resolve()
    }
    server.stdout?.on('data', read)
    server.stderr?.on('data', read)
    server.on('error', reject)
    server.on('exit', code =>
      reject(
        new Error(`the S3 server ended with code ${code}; install it with scripts/peers/install.sh s3\n${output}`),
      ),
    )
  })
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
