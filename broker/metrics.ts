/**
 * Counters of the broker: plain numbers that only grow (gauges are marked), read by whoever exports them. Counting must cost
 * nothing on the hot path, so there is no library here.
 */
export class BrokerMetrics {
  /** By API name. */
  readonly requests: Map<string, number> = new Map()
  /** By API name, top-level failures: the handler threw or the request could not be read. */
  readonly requestErrors: Map<string, number> = new Map()
  bytesIn = 0
  bytesOut = 0
  connectionsOpened = 0
  connectionsClosed = 0
  /** Gauge. */
  requestBytesHeld = 0
  malformedFrames = 0
  authenticationFailures = 0

  batchesProduced = 0
  recordsProduced = 0
  batchBytesProduced = 0
  batchesRefused = 0
  duplicateBatches = 0

  flushes = 0
  segmentBytes = 0
  segmentPutRetries = 0
  flushFailures = 0
  /** From the flush's start until its commit is durable, summed; divide by flushes. */
  flushMsSum = 0
  flushMsLargest = 0

  fetches = 0
  fetchesParked = 0
  fetchBytes = 0
  fetchObjectsMissing = 0
  fetchCorruptBatches = 0

  groupRebalances = 0
  objectsDeleted = 0
  logStartsAdvanced = 0

  countRequest(api: string): void {
    this.requests.set(api, (this.requests.get(api) ?? 0) + 1)
  }
  countRequestError(api: string): void {
    this.requestErrors.set(api, (this.requestErrors.get(api) ?? 0) + 1)
  }
}
