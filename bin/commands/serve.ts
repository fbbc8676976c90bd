/** `floe serve`: runs until Ctrl-C or SIGTERM. */
import type { FloeError } from '../../core/errors.ts'
import { loadConfig } from '../cli/load-config.ts'
import type { Output } from '../cli/output.ts'
import { readVersion } from '../main.ts'
import { startFloe } from '../server/floe-server.ts'
import { createLog } from '../server/log.ts'
import { closeInTime, untilAborted, watchStopSignals } from '../server/until-stopped.ts'

export async function runServe(options: { config?: string; dataDir?: string }, output: Output): Promise<void> {
  const loaded = loadConfig(options.config)
  const config =
    options.dataDir === undefined ? loaded : { ...loaded, server: { ...loaded.server, dataDir: options.dataDir } }
  const log = createLog(config.server.log.level)
  const stopping = watchStopSignals()
  let lost: FloeError | undefined
  const server = await startFloe({
    config,
    environment: process.env,
    log,
    version: readVersion(),
    onLost: error => {
      lost = error
      stopping.stop()
    },
  })
  const { kafka, http } = config.server
  const places = {
    kafka: `${kafka.hostname}:${server.kafkaPort}`,
    http: `http://${http.hostname}:${server.httpPort}`,
    icebergCatalog: `http://${http.hostname}:${server.httpPort}/catalog/iceberg`,
    store: server.store.uri,
    tables: config.tables.map(table => table.name),
  }
  output.result(
    places,
    () => `Kafka on ${places.kafka}, HTTP on ${places.http}, Iceberg catalog ${places.icebergCatalog}`,
  )
  await untilAborted(stopping.signal)
  log.info('stopping')
  await closeInTime(() => server.close())
  if (lost !== undefined) throw lost
  log.info('stopped')
}
