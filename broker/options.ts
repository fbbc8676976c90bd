/**
 * Settings of the broker and its named limits. Names follow Kafka's broker configs where one exists (in brackets).
 *
 * Every default is stated once, here. `createBroker` fills what a caller leaves out.
 */
export interface SaslUser {
  readonly name: string
  readonly password: string
}

export interface BrokerOptions {
  /** auto.create.topics.enable: a Metadata request for an unknown topic creates it. */
  readonly autoCreateTopics: boolean
  /** num.partitions: of auto-created topics and of CreateTopics with -1. */
  readonly partitionCountDefault: number
  /** The least time between two segments: what comes sooner waits for company. Least 5. */
  readonly flushIntervalMs: number
  /** A segment is flushed early at this size. */
  readonly segmentBytesTarget: number
  /** Segments being put at the same time. */
  readonly uploadsInFlightMax: number
  /** Bytes of requests taken from sockets and not yet answered, over all connections; sockets are not read beyond it. */
  readonly requestBytesMax: number
  /** socket.request.max.bytes: a larger frame closes the connection. */
  readonly frameBytesMax: number
  /** Requests of one connection handled at the same time. */
  readonly connectionRequestsMax: number
  /** Bytes of requests of one connection not yet answered. */
  readonly connectionBytesMax: number
  readonly connectionsMax: number
  /** connections.max.idle.ms */
  readonly connectionIdleMsMax: number
  /** fetch.max.bytes of the broker: caps what one Fetch asks for. */
  readonly fetchBytesMax: number
  /** group.initial.rebalance.delay.ms. Kafka's 3000 makes every first poll slow; 1000 still gathers a fleet that starts together. */
  readonly groupInitialRebalanceDelayMs: number
  /** group.min.session.timeout.ms and group.max.session.timeout.ms */
  readonly groupSessionTimeoutMsMin: number
  readonly groupSessionTimeoutMsMax: number
  /** group.max.size */
  readonly groupSizeMax: number
  /** offsets.retention.minutes, in ms; counted only while the group is empty. */
  readonly offsetsRetentionMs: number
  /** How often retention looks. */
  readonly retentionCheckIntervalMs: number
  /** How long a segment object outlives its last reference: longer than any read. */
  readonly garbageDelayMs: number
  /** SASL PLAIN users; undefined: no authentication. */
  readonly saslUsers: readonly SaslUser[] | undefined
  /** How long close() waits for what is buffered. */
  readonly drainMsMax: number
}

export const brokerOptionDefaults: BrokerOptions = {
  autoCreateTopics: true,
  partitionCountDefault: 1,
  flushIntervalMs: 250,
  segmentBytesTarget: 4 * 1024 * 1024,
  uploadsInFlightMax: 4,
  requestBytesMax: 128 * 1024 * 1024,
  frameBytesMax: 100 * 1024 * 1024,
  connectionRequestsMax: 64,
  connectionBytesMax: 64 * 1024 * 1024,
  connectionsMax: 10_000,
  connectionIdleMsMax: 10 * 60_000,
  fetchBytesMax: 55 * 1024 * 1024,
  groupInitialRebalanceDelayMs: 1000,
  groupSessionTimeoutMsMin: 6_000,
  groupSessionTimeoutMsMax: 30 * 60_000,
  groupSizeMax: 10_000,
  offsetsRetentionMs: 7 * 24 * 3_600_000,
  retentionCheckIntervalMs: 5 * 60_000,
  garbageDelayMs: 15 * 60_000,
  saslUsers: undefined,
  drainMsMax: 5_000,
}

/** Limits nobody has needed to tune. */
export const brokerLimits = {
  /** Puts of one segment, each under a new name, before its requests fail. */
  segmentPutAttemptsMax: 4,
  /** Wait before putting again, doubled each time. */
  segmentPutRetryMs: 100,
  /** Names asked from the catalog at once, and how many left start a refill. */
  segmentNamesPerGrant: 256,
  segmentNamesRefillAt: 64,
  /** A granted name not committed by then is refused and its object collected. */
  segmentNameTtlMs: 10 * 60_000,
  /** Producer ids taken from the catalog at once. */
  producerIdsPerBlock: 1_000,
  /** offset.metadata.max.bytes */
  offsetMetadataBytesMax: 4096,
  topicNameCharactersMax: 249,
  partitionsPerTopicMax: 100_000,
  /** Times a fetch asks the catalog again because an object it was told of is gone. */
  fetchMissingObjectRetriesMax: 1,
  /** Loaded ahead of a reader of one partition. */
  readAheadBytesMax: 1024 * 1024,
  /** DescribeTopicPartitions answers at most this many partitions at once. */
  describedPartitionsMax: 2_000,
  groupsMax: 100_000,
  /** What a connection may send before it is authenticated (sasl.server.max.receive.size). */
  unauthenticatedBytesMax: 512 * 1024,
  /** Topics that one Metadata request may create. */
  topicsCreatedPerRequestMax: 1_000,
  /** How long a connection that was ended may take to read its last answers. */
  lingerMsMax: 5_000,
  /** A group without members and offsets is listed for this long. */
  emptyGroupKeptMs: 10 * 60_000,
  /** A member id handed out or a member that joins for the first time is forgotten after this long. */
  newMemberJoinMsMax: 5 * 60_000,
} as const

/** The leader epoch of every partition: any agent serves it, so nobody is ever fenced by one. */
export const leaderEpoch = 0
