import { systemClock } from '../../core/clock.ts'
import { type Log, silentLog } from '../../core/log.ts'
import { IngestService } from '../../ingest/service.ts'
import { createInlinePool } from '../../ingest/worker/builder-pool.ts'
import type { RecordSource } from '../../kafka/record-source.ts'
import type { StartedBroker } from './start-broker.ts'

/** Ingestion into the broker's own store, with builders in this thread; the caller closes it. */
export function openIngest(
  broker: StartedBroker,
  { source = broker.broker.localSource(), log = silentLog }: { source?: RecordSource; log?: Log } = {},
): IngestService {
  const { catalog, membership, store } = broker
  const pool = createInlinePool()
  return new IngestService({ catalog, membership, store, sources: () => source, pool, clock: systemClock, log })
}
