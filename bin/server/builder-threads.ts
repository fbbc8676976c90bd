/** The pool of table file builders. */
import type { Log } from '../../core/log.ts'
import { type BuilderPool, createInlinePool } from '../../ingest/worker/builder-pool.ts'

export function openBuilderPool(_threadCount: number, _log: Log): BuilderPool {
  return createInlinePool()
}
