/** `floe serve`: runs until Ctrl-C or SIGTERM. */
import type { NodeRoleName } from '../../catalog/client.ts'
import type { ValidatedConfig } from '../../config/config.ts'
import { FloeError } from '../../core/errors.ts'
import { loadConfig } from '../cli/load-config.ts'
import type { Output } from '../cli/output.ts'
import { readVersion } from '../main.ts'
import { allRoles, startFloe } from '../server/floe-server.ts'
import { createLog } from '../server/log.ts'
import { ofProcess } from '../server/process-group.ts'
import { closeInTime, untilAborted, watchParent, watchStopSignals } from '../server/until-stopped.ts'

export interface ServeOptions {
  readonly config?: string
  readonly dataDir?: string
  /** Comma-separated. */
  readonly roles?: string
  /** Which one of the processes under one parent this is, from 0. */
  readonly processIndex?: string
}

export async function runServe(options: ServeOptions, output: Output): Promise<void> {
  const config = readServeConfig(options)
  const log = createLog(config.server.log.level)
  const stopping = options.processIndex === undefined ? watchStopSignals() : watchParent()
  let lost: FloeError | undefined
  const server = await startFloe({
    config,
    environment: process.env,
    log,
    version: readVersion(),
    roles: parseRoles(options.roles),
    onLost: error => {
      lost = error
      stopping.stop()
    },
  })
  const { kafka, http } = config.server
  const places = {
    kafka: server.kafkaPort === 0 ? undefined : `${kafka.hostname}:${server.kafkaPort}`,
    http: `http://${http.hostname}:${server.httpPort}`,
    icebergCatalog: `http://${http.hostname}:${server.httpPort}/catalog/iceberg`,
    store: server.store.uri,
    tables: config.tables.map(table => table.name),
  }
  output.result(
    places,
    () =>
      `${places.kafka === undefined ? '' : `Kafka on ${places.kafka}, `}HTTP on ${places.http}, Iceberg catalog ${places.icebergCatalog}`,
  )
  await untilAborted(stopping.signal)
  log.info('stopping')
  await closeInTime(() => server.close())
  if (lost !== undefined) throw lost
  log.info('stopped')
}

function readServeConfig({ config: file, dataDir, processIndex }: ServeOptions): ValidatedConfig {
  const loaded = loadConfig(file)
  const config = dataDir === undefined ? loaded : { ...loaded, server: { ...loaded.server, dataDir } }
  return processIndex === undefined ? config : { ...config, server: ofProcess(config.server, Number(processIndex)) }
}

/** errors  invalid: a role that there is not, or one that needs others */
export function parseRoles(text: string | undefined): readonly NodeRoleName[] {
  if (text === undefined) return allRoles
  const names = text.split(',').map(name => name.trim())
  return names.map(name => {
    const role = allRoles.find(each => each === name)
    if (role !== undefined) return role
    throw new FloeError(
      'invalid',
      'unknown-role',
      `--roles: there is no role ${name}; there are ${allRoles.join(', ')}`,
    )
  })
}
