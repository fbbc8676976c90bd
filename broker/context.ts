/** What handlers work with: one set per broker, and what they know of the call at hand. */
import type { CatalogClient } from '../catalog/client.ts'
import type { Clock } from '../core/clock.ts'
import type { Leases } from '../core/lease.ts'
import type { Log } from '../core/log.ts'
import type { ApiName } from '../kafka/api-keys.ts'
import type { RequestBody, ResponseBody } from '../kafka/protocol/codec.ts'
import type { Authenticator } from './authenticator.ts'
import type { ClusterView } from './cluster-view.ts'
import type { LogReader } from './fetch/log-reader.ts'
import type { TimeLookup } from './fetch/time-lookup.ts'
import type { GroupCoordinator } from './groups/coordinator.ts'
import type { BrokerMetrics } from './metrics.ts'
import type { BrokerOptions } from './options.ts'
import type { FlushBuffer } from './produce/flush-buffer.ts'
import type { ProducerIds } from './produce/producer-ids.ts'
import type { Session } from './session.ts'

export interface HandlerContext {
  readonly catalog: CatalogClient
  readonly clock: Clock
  readonly log: Log
  readonly options: BrokerOptions
  readonly metrics: BrokerMetrics
  readonly flushBuffer: FlushBuffer
  readonly producerIds: ProducerIds
  readonly logReader: LogReader
  readonly timeLookup: TimeLookup
  readonly groups: GroupCoordinator
  readonly cluster: ClusterView
  readonly authenticator: Authenticator | undefined
}

export interface Call {
  /** What the bytes of the request are views of. */
  readonly frame: Uint8Array
  readonly version: number
  readonly clientId: string
  readonly session: Session
  /** What the answer's bytes are views of: given back once the answer is written, or when there is none. */
  readonly answerLeases: Leases
}

/** Undefined: no answer is due. Called in request order; what needs order is done before the first await. */
export type Handler<A extends ApiName> = (
  request: RequestBody<A>,
  call: Call,
  context: HandlerContext,
) => ResponseBody<A> | undefined | Promise<ResponseBody<A> | undefined>
