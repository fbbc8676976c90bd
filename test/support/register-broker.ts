import { NodeRegistration } from '../../catalog/node/node-registration.ts'
import type { Catalog } from '../../catalog/open-catalog.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLog } from '../../core/log.ts'

/** Registers this process as one that does everything and serves Kafka clients at a place. */
export function registerBroker(catalog: Catalog, kafkaHost: string, kafkaPort: number): Promise<NodeRegistration> {
  return NodeRegistration.register({
    catalog: catalog.client,
    clock: systemClock,
    log: silentLog,
    description: {
      instanceId: catalog.instanceId,
      roles: ['catalog', 'broker', 'ingest', 'maintain'],
      kafkaHost,
      kafkaPort,
    },
  })
}
