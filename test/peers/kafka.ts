/**
 * Apache Kafka as a peer: one KRaft node on loopback, and Kafka's own command line tools against any broker.
 *
 * The plain listener is always there. `security` adds a second one, so that one node serves both the test's own plain
 * clients and the connection under test: with users it takes PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, with TLS a
 * self-signed certificate for 127.0.0.1 and localhost.
 */

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { launcher, makeTempDir, peerPath } from './peers.ts'
import { type Finished, freePorts, type RunOptions, run, startServer, waitUntilReady } from './process.ts'

const READY_MS_MAX = 120_000
const KEYSTORE_PASSWORD = 'floe-test'

export interface KafkaOptions {
  /** Kept after stop() and formatted only once, so that a broker can be restarted on it; else a new one is removed. */
  readonly dataDir?: string
  /** Needed with a kept directory: the controller's address is part of the cluster's own records. */
  readonly port?: number
  readonly controllerPort?: number
  readonly properties?: Readonly<Record<string, string>>
  readonly security?: {
    readonly tls?: boolean
    readonly users?: readonly { readonly username: string; readonly password: string }[]
  }
}

export interface Kafka {
  readonly bootstrap: string
  readonly port: number
  readonly controllerPort: number
  readonly dataDir: string
  readonly pid: number
  /** The second listener, when `security` was asked for. */
  readonly secureBootstrap: string | undefined
  /** The certificate that signs the second listener's TLS, as PEM. */
  readonly caPem: string | undefined
  output(): string
  kill(signal: NodeJS.Signals): void
  stop(): Promise<void>
}

export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const script = launcher('kafka')
  const [freePort, freeControllerPort, securePort] = (await freePorts(3)) as [number, number, number]
  const port = options.port ?? freePort
  const controllerPort = options.controllerPort ?? freeControllerPort
  const dataDir = options.dataDir ?? makeTempDir('kafka')
  const args = ['--port', `${port}`, '--controller-port', `${controllerPort}`, '--data', dataDir]
  let caPem: string | undefined
  if (options.security) {
    const users = options.security.users ?? []
    const protocol = options.security.tls ? (users.length > 0 ? 'SASL_SSL' : 'SSL') : 'SASL_PLAINTEXT'
    const secure = `${protocol}://127.0.0.1:${securePort}`
    args.push(
      ...set('listeners', `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort},${secure}`),
      ...set('advertised.listeners', `PLAINTEXT://127.0.0.1:${port},${secure}`),
    )
    if (users.length > 0) args.push(...saslArgs(protocol.toLowerCase(), users))
    if (options.security.tls) {
      caPem = await makeKeystore(dataDir)
      args.push(
        ...set('ssl.keystore.location', join(dataDir, 'keystore.p12')),
        ...set('ssl.keystore.type', 'PKCS12'),
        ...set('ssl.keystore.password', KEYSTORE_PASSWORD),
        ...set('ssl.key.password', KEYSTORE_PASSWORD),
      )
    }
  }
  for (const [name, value] of Object.entries(options.properties ?? {})) args.push(...set(name, value))
  const server = startServer(script, args, { FLOE_KAFKA_LOG_LEVEL: 'info' })
  // The line comes after the broker has registered, is unfenced and answers requests.
  await waitUntilReady('Apache Kafka', server, () => server.output().includes('Kafka Server started'), READY_MS_MAX)
  return {
    bootstrap: `127.0.0.1:${port}`,
    port,
    controllerPort,
    dataDir,
    pid: server.pid,
    secureBootstrap: options.security && `127.0.0.1:${securePort}`,
    caPem,
    output: server.output,
    kill: server.kill,
    async stop() {
      await server.stop(30_000)
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Runs one of Kafka's tools, for example `kafkaTool('kafka-topics', ['--bootstrap-server', bootstrap, '--list'])`. */
export function kafkaTool(name: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(launcher('kafka', 'kafka-tool'), [name, ...args], options)
}

export async function kcat(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(peerPath('kcat'), args, options)
}

function set(name: string, value: string): [string, string] {
  return ['--set', `${name}=${value}`]
}

function saslArgs(listener: string, users: readonly { username: string; password: string }[]): string[] {
  const plain = users.map(user => `user_${user.username}="${user.password}"`).join(' ')
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const args = [
    ...set('sasl.enabled.mechanisms', 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'),
    ...set(
      `listener.name.${listener}.plain.sasl.jaas.config`,
      `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain};`,
    ),
    ...set(`listener.name.${listener}.scram-sha-256.sasl.jaas.config`, scram),
    ...set(`listener.name.${listener}.scram-sha-512.sasl.jaas.config`, scram),
  ]
  for (const { username, password } of users) {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      args.push('--scram', `${mechanism}=[name="${username}",password="${password}"]`)
    }
  }
  return args
}

async function makeKeystore(dir: string): Promise<string> {
  const keystore = join(dir, 'keystore.p12')
  const certificate = join(dir, 'certificate.pem')
  const store = ['-alias', 'floe', '-keystore', keystore, '-storetype', 'PKCS12', '-storepass', KEYSTORE_PASSWORD]
  if (!existsSync(keystore)) {
    const subject = ['-dname', 'CN=localhost', '-ext', 'SAN=ip:127.0.0.1,dns:localhost', '-ext', 'BC=ca:true']
    await run('keytool', ['-genkeypair', '-keyalg', 'EC', '-validity', '3650', ...subject, ...store])
    await run('keytool', ['-exportcert', '-rfc', '-file', certificate, ...store])
  }
  return readFileSync(certificate, 'utf8')
}
