/**
 * The Kafka calls Floe describes: key, versions served, and the first flexible version (KIP-482). The one table behind
 * decoding, dispatch and the ApiVersions answer.
 *
 * Invariants: `min` to `max` are decoded and encoded; `advertisedMin` is what ApiVersions names. They differ for Produce alone:
 * librdkafka before KAFKA-18659 looks for Produce v0 and otherwise sends every batch uncompressed without a word.
 * `flexibleFrom` Infinity: never.
 */
export interface ApiSpec {
  readonly key: number
  readonly min: number
  readonly max: number
  readonly advertisedMin: number
  readonly flexibleFrom: number
}

function api(key: number, min: number, max: number, flexibleFrom: number, advertisedMin = min): ApiSpec {
  return { key, min, max, advertisedMin, flexibleFrom }
}

const never = Number.POSITIVE_INFINITY

/** By Kafka's own names. Described is not served: ApiVersions names those that the broker has a handler for. */
export const apis = {
  Produce: api(0, 3, 12, 9, 0),
  Fetch: api(1, 4, 17, 12),
  ListOffsets: api(2, 1, 9, 6),
  Metadata: api(3, 0, 13, 9),
  OffsetCommit: api(8, 1, 9, 8),
  OffsetFetch: api(9, 1, 9, 6),
  FindCoordinator: api(10, 0, 6, 3),
  JoinGroup: api(11, 0, 9, 6),
  Heartbeat: api(12, 0, 4, 4),
  LeaveGroup: api(13, 0, 5, 4),
  SyncGroup: api(14, 0, 5, 4),
  DescribeGroups: api(15, 0, 6, 5),
  ListGroups: api(16, 0, 5, 3),
  SaslHandshake: api(17, 0, 1, never),
  ApiVersions: api(18, 0, 4, 3),
  CreateTopics: api(19, 2, 7, 5),
  DeleteTopics: api(20, 1, 6, 4),
  DeleteRecords: api(21, 0, 2, 2),
  InitProducerId: api(22, 0, 5, 2),
  OffsetForLeaderEpoch: api(23, 2, 4, 4),
  AddPartitionsToTxn: api(24, 0, 5, 3),
  AddOffsetsToTxn: api(25, 0, 4, 3),
  EndTxn: api(26, 0, 5, 3),
  TxnOffsetCommit: api(28, 0, 5, 3),
  DescribeConfigs: api(32, 1, 4, 4),
  AlterConfigs: api(33, 0, 2, 2),
  DescribeLogDirs: api(35, 1, 4, 2),
  SaslAuthenticate: api(36, 0, 2, 2),
  CreatePartitions: api(37, 0, 3, 2),
  DeleteGroups: api(42, 0, 2, 2),
  IncrementalAlterConfigs: api(44, 0, 1, 1),
  OffsetDelete: api(47, 0, 0, never),
  DescribeCluster: api(60, 0, 2, 0),
  DescribeProducers: api(61, 0, 0, 0),
  DescribeTransactions: api(65, 0, 0, 0),
  ListTransactions: api(66, 0, 2, 0),
  DescribeTopicPartitions: api(75, 0, 0, 0),
} as const satisfies Record<string, ApiSpec>

export type ApiName = keyof typeof apis

export const apiNames = Object.keys(apis) as readonly ApiName[]

const namesByKey: ReadonlyMap<number, ApiName> = new Map(apiNames.map(name => [apis[name].key, name]))

/** Undefined: a key that Floe does not describe. */
export function findApi(key: number): ApiName | undefined {
  return namesByKey.get(key)
}

export function isVersionServed(name: ApiName, version: number): boolean {
  return version >= apis[name].min && version <= apis[name].max
}

export function isFlexible(name: ApiName, version: number): boolean {
  return version >= apis[name].flexibleFrom
}
