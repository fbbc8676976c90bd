/** `floe serve` as its users start it: a process with a configuration file. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Server, startServer, waitUntilReady } from '../peers/index.ts'

const readyMsMax = 60_000

export interface FloeProcess {
  /** The Kafka listener, `host:port`. */
  readonly kafka: string
  readonly http: string
  readonly icebergCatalog: string
  /** URI of the store, for example `file:///tmp/x/store`. */
  readonly store: string
  /** GET of a path of the HTTP port, with the token. */
  get(path: string): Promise<unknown>
  output(): string
  stop(): Promise<void>
}

export interface FloeProcessOptions {
  readonly directory: string
  /** As in the YAML file; JSON is YAML. */
  readonly config: object
  readonly environment: Readonly<Record<string, string>>
  readonly token: string | undefined
}

interface Places {
  readonly kafka: string
  readonly http: string
  readonly icebergCatalog: string
  readonly store: string
}

export async function startFloeProcess(options: FloeProcessOptions): Promise<FloeProcess> {
  const { directory, config, environment, token } = options
  const path = join(directory, 'floe.yaml')
  writeFileSync(path, JSON.stringify(config, undefined, 1))
  const floe = join(import.meta.dirname, '../../bin/floe.js')
  const server: Server = startServer(process.execPath, [floe, 'serve', '--json', '-c', path], environment)
  const isServing = (): boolean => findPlaces(server.output()) !== undefined
  await waitUntilReady('floe serve', server, isServing, readyMsMax)
  const { kafka, http, icebergCatalog, store } = findPlaces(server.output())!
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return {
    kafka,
    http,
    icebergCatalog,
    store,
    async get(path) {
      const answer = await fetch(`${http}${path}`, { headers })
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
      return answer.json()
    },
    output: server.output,
    stop: () => server.stop(),
  }
}

/** The line with the places among the lines of the log. */
function findPlaces(output: string): Places | undefined {
  const line = output.split('\n').find(each => each.startsWith('{"kafka"') && each.endsWith('}'))
  return line === undefined ? undefined : (JSON.parse(line) as Places)
}
