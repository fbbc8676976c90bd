/**
 * An S3-compatible server as a peer (versitygw; `docs/peers.md` says why), on loopback, with one empty bucket.
 *
 * It keeps objects as files, so a key cannot be both an object and the beginning (up to a slash) of another one.
 */

import { rmSync } from 'node:fs'
import { launcher, makeTempDir } from './peers.ts'
import { freePorts, startServer, waitUntilReady } from './process.ts'

const READY_MS_MAX = 30_000

export interface S3Options {
  /** Kept after stop(); else a new one is removed. */
  readonly dataDir?: string
  readonly port?: number
  readonly bucket?: string
}

export interface S3Connection {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly bucket: string
}

export interface S3 extends S3Connection {
  readonly port: number
  readonly dataDir: string
  readonly pid: number
  output(): string
  kill(signal: NodeJS.Signals): void
  stop(): Promise<void>
}

export async function startS3(options: S3Options = {}): Promise<S3> {
  const script = launcher('s3')
  const port = options.port ?? (await freePorts(1))[0]!
  const bucket = options.bucket ?? 'floe'
  const dataDir = options.dataDir ?? makeTempDir('s3')
  const [accessKeyId, secretAccessKey, region] = ['floe', 'floe-secret', 'us-east-1']
  const server = startServer(script, ['--port', `${port}`, '--data', dataDir, '--bucket', bucket], {
    FLOE_S3_ACCESS_KEY_ID: accessKeyId,
    FLOE_S3_SECRET_ACCESS_KEY: secretAccessKey,
    FLOE_S3_REGION: region,
  })
  const endpoint = `http://127.0.0.1:${port}`
  await waitUntilReady('the S3 server', server, () => server.output().includes(`ready ${endpoint}`), READY_MS_MAX)
  return {
    endpoint,
    accessKeyId,
    secretAccessKey,
    region,
    bucket,
    port,
    dataDir,
    pid: server.pid,
    output: server.output,
    kill: server.kill,
    async stop() {
      await server.stop(5_000)
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
