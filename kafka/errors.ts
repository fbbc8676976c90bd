/**
 * The error codes of the Kafka protocol (protocol guide, "Error Codes"): the one table, applied at the broker's edge.
 *
 *   kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code      3
 *   findKafkaError(3).name                           'UNKNOWN_TOPIC_OR_PARTITION'
 *
 * `retriable` is what clients take for granted about the code: they retry on their own, after refreshing what they know.
 * Messages are Floe's own words.
 */
export interface KafkaErrorSpec {
  readonly name: KafkaErrorName
  readonly code: number
  readonly retriable: boolean
  readonly message: string
}

type Row = readonly [code: number, retriable: boolean, message: string]

const final = (code: number, message: string): Row => [code, false, message]
const retriable = (code: number, message: string): Row => [code, true, message]

const rows = {
  UNKNOWN_SERVER_ERROR: final(-1, 'the server failed in an unexpected way'),
  NONE: final(0, 'success'),
  OFFSET_OUT_OF_RANGE: final(1, 'the offset is outside what the partition holds'),
  CORRUPT_MESSAGE: retriable(2, 'a record batch is malformed or fails its checksum'),
  UNKNOWN_TOPIC_OR_PARTITION: retriable(3, 'no such topic or partition here'),
  INVALID_FETCH_SIZE: final(4, 'the fetch size is invalid'),
  LEADER_NOT_AVAILABLE: retriable(5, 'the partition has no leader yet'),
  NOT_LEADER_OR_FOLLOWER: retriable(6, 'this broker does not lead the partition'),
  REQUEST_TIMED_OUT: retriable(7, 'the request timed out'),
  BROKER_NOT_AVAILABLE: final(8, 'the broker is not available'),
  REPLICA_NOT_AVAILABLE: retriable(9, 'the replica is not available'),
  MESSAGE_TOO_LARGE: final(10, 'a record batch is larger than the topic allows'),
  STALE_CONTROLLER_EPOCH: final(11, 'the controller moved'),
  OFFSET_METADATA_TOO_LARGE: final(12, 'the metadata of an offset commit is too large'),
  NETWORK_EXCEPTION: retriable(13, 'the connection broke before the answer came'),
  COORDINATOR_LOAD_IN_PROGRESS: retriable(14, 'the coordinator is still loading'),
  COORDINATOR_NOT_AVAILABLE: retriable(15, 'the coordinator is not available'),
  NOT_COORDINATOR: retriable(16, 'this broker is not the coordinator'),
  INVALID_TOPIC_EXCEPTION: final(17, 'the topic name is invalid or names a topic that must not be used so'),
  RECORD_LIST_TOO_LARGE: final(18, 'the record batches are larger than a segment'),
  NOT_ENOUGH_REPLICAS: retriable(19, 'too few replicas are in sync'),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: retriable(20, 'the records were appended, but to too few replicas'),
  INVALID_REQUIRED_ACKS: final(21, 'acks must be -1, 0 or 1'),
  ILLEGAL_GENERATION: final(22, 'the group generation is not the current one'),
  INCONSISTENT_GROUP_PROTOCOL: final(23, 'the member shares no protocol with the group'),
  INVALID_GROUP_ID: final(24, 'the group id is invalid'),
  UNKNOWN_MEMBER_ID: final(25, 'the coordinator does not know this member'),
  INVALID_SESSION_TIMEOUT: final(26, 'the session timeout is outside the allowed range'),
  REBALANCE_IN_PROGRESS: final(27, 'the group is rebalancing: join again'),
  INVALID_COMMIT_OFFSET_SIZE: final(28, 'the offset commit is too large'),
  TOPIC_AUTHORIZATION_FAILED: final(29, 'not allowed on this topic'),
  GROUP_AUTHORIZATION_FAILED: final(30, 'not allowed on this group'),
  CLUSTER_AUTHORIZATION_FAILED: final(31, 'not allowed on the cluster'),
  INVALID_TIMESTAMP: final(32, 'a record timestamp is outside the allowed range'),
  UNSUPPORTED_SASL_MECHANISM: final(33, 'the SASL mechanism is not offered'),
  ILLEGAL_SASL_STATE: final(34, 'the request is not allowed in this state of authentication'),
  UNSUPPORTED_VERSION: final(35, 'this version of the call is not served'),
  TOPIC_ALREADY_EXISTS: final(36, 'the topic exists already'),
  INVALID_PARTITIONS: final(37, 'the number of partitions is invalid'),
  INVALID_REPLICATION_FACTOR: final(38, 'the replication factor is invalid'),
  INVALID_REPLICA_ASSIGNMENT: final(39, 'the replica assignment is invalid'),
  INVALID_CONFIG: final(40, 'the configuration is invalid'),
  NOT_CONTROLLER: retriable(41, 'this broker is not the controller'),
  INVALID_REQUEST: final(42, 'the request is malformed or contradicts itself'),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: final(43, 'the message format does not support the request'),
  POLICY_VIOLATION: final(44, 'the request violates a policy'),
  OUT_OF_ORDER_SEQUENCE_NUMBER: final(45, 'the sequence number is not the next one'),
  DUPLICATE_SEQUENCE_NUMBER: final(46, 'the sequence number was used already'),
  INVALID_PRODUCER_EPOCH: final(47, 'the producer epoch is old'),
  INVALID_TXN_STATE: final(48, 'the transaction is not in a state that allows this'),
  INVALID_PRODUCER_ID_MAPPING: final(49, 'the producer id does not belong to the transactional id'),
  INVALID_TRANSACTION_TIMEOUT: final(50, 'the transaction timeout is above the maximum'),
  CONCURRENT_TRANSACTIONS: retriable(51, 'another operation on this transaction is still running'),
  TRANSACTION_COORDINATOR_FENCED: final(52, 'the transaction coordinator was replaced'),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: final(53, 'not allowed on this transactional id'),
  SECURITY_DISABLED: final(54, 'security features are off'),
  OPERATION_NOT_ATTEMPTED: final(55, 'not attempted because another operation of the request failed'),
  KAFKA_STORAGE_ERROR: retriable(56, 'the storage failed'),
  LOG_DIR_NOT_FOUND: final(57, 'no such log directory'),
  SASL_AUTHENTICATION_FAILED: final(58, 'authentication failed'),
  UNKNOWN_PRODUCER_ID: final(59, 'nothing is known of this producer id'),
  REASSIGNMENT_IN_PROGRESS: final(60, 'a partition reassignment is running'),
  DELEGATION_TOKEN_AUTH_DISABLED: final(61, 'delegation tokens are off'),
  DELEGATION_TOKEN_NOT_FOUND: final(62, 'no such delegation token'),
  DELEGATION_TOKEN_OWNER_MISMATCH: final(63, 'the principal does not own the delegation token'),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: final(64, 'delegation tokens are not allowed on this connection'),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: final(65, 'not allowed on this delegation token'),
  DELEGATION_TOKEN_EXPIRED: final(66, 'the delegation token expired'),
  INVALID_PRINCIPAL_TYPE: final(67, 'the principal type is not supported'),
  NON_EMPTY_GROUP: final(68, 'the group still has members'),
  GROUP_ID_NOT_FOUND: final(69, 'no such group'),
  FETCH_SESSION_ID_NOT_FOUND: retriable(70, 'no such fetch session'),
  INVALID_FETCH_SESSION_EPOCH: retriable(71, 'the fetch session epoch is not the next one'),
  LISTENER_NOT_FOUND: retriable(72, 'the leader has no listener of this name'),
  TOPIC_DELETION_DISABLED: final(73, 'topic deletion is off'),
  FENCED_LEADER_EPOCH: retriable(74, 'the leader epoch of the request is older than the current one'),
  UNKNOWN_LEADER_EPOCH: retriable(75, 'the leader epoch of the request is newer than the current one'),
  UNSUPPORTED_COMPRESSION_TYPE: final(76, 'the compression type needs a newer version of the call'),
  STALE_BROKER_EPOCH: final(77, 'the broker epoch changed'),
  OFFSET_NOT_AVAILABLE: retriable(78, 'the offset is not known yet after a change of leader'),
  MEMBER_ID_REQUIRED: final(79, 'join again with the member id of this answer'),
  PREFERRED_LEADER_NOT_AVAILABLE: retriable(80, 'the preferred leader is not available'),
  GROUP_MAX_SIZE_REACHED: final(81, 'the group has as many members as it may have'),
  FENCED_INSTANCE_ID: final(82, 'another member took over this group instance id'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: retriable(83, 'no eligible leader is available'),
  ELECTION_NOT_NEEDED: retriable(84, 'no election is needed'),
  NO_REASSIGNMENT_IN_PROGRESS: final(85, 'no partition reassignment is running'),
  GROUP_SUBSCRIBED_TO_TOPIC: final(86, 'the group is subscribed to the topic'),
  INVALID_RECORD: final(87, 'a record or its batch fails validation'),
  UNSTABLE_OFFSET_COMMIT: retriable(88, 'an open transaction still holds offsets of the partition'),
  THROTTLING_QUOTA_EXCEEDED: retriable(89, 'the quota is exhausted'),
  PRODUCER_FENCED: final(90, 'a newer producer uses the transactional id'),
  RESOURCE_NOT_FOUND: final(91, 'no such resource'),
  DUPLICATE_RESOURCE: final(92, 'the resource is named twice'),
  UNACCEPTABLE_CREDENTIAL: final(93, 'the credential does not meet the rules'),
  INCONSISTENT_VOTER_SET: final(94, 'sender or receiver is not one of the voters'),
  INVALID_UPDATE_VERSION: final(95, 'the update version is invalid'),
  FEATURE_UPDATE_FAILED: final(96, 'the feature could not be updated'),
  PRINCIPAL_DESERIALIZATION_FAILURE: final(97, 'the forwarded principal cannot be read'),
  SNAPSHOT_NOT_FOUND: final(98, 'no such snapshot'),
  POSITION_OUT_OF_RANGE: final(99, 'the position is outside the snapshot'),
  UNKNOWN_TOPIC_ID: retriable(100, 'no topic with this id here'),
  DUPLICATE_BROKER_REGISTRATION: final(101, 'the broker id is in use'),
  BROKER_ID_NOT_REGISTERED: final(102, 'the broker id is not registered'),
  INCONSISTENT_TOPIC_ID: retriable(103, 'the topic id does not belong to the topic'),
  INCONSISTENT_CLUSTER_ID: final(104, 'the request is meant for another cluster'),
  TRANSACTIONAL_ID_NOT_FOUND: final(105, 'no such transactional id'),
  FETCH_SESSION_TOPIC_ID_ERROR: retriable(106, 'the fetch session mixes topic names and ids'),
  INELIGIBLE_REPLICA: final(107, 'the replica is not eligible'),
  NEW_LEADER_ELECTED: final(108, 'the partition changed, and so did its leader'),
  OFFSET_MOVED_TO_TIERED_STORAGE: final(109, 'the offset is in tiered storage'),
  FENCED_MEMBER_EPOCH: final(110, 'the member epoch is fenced: give up all partitions and join again'),
  UNRELEASED_INSTANCE_ID: final(111, 'the group instance id is still in use'),
  UNSUPPORTED_ASSIGNOR: final(112, 'the assignor is not supported'),
  STALE_MEMBER_EPOCH: final(113, 'the member epoch is old: heartbeat, then retry'),
  MISMATCHED_ENDPOINT_TYPE: final(114, 'the request went to an endpoint of the wrong type'),
  UNSUPPORTED_ENDPOINT_TYPE: final(115, 'the endpoint type is not supported'),
  UNKNOWN_CONTROLLER_ID: final(116, 'no such controller'),
  UNKNOWN_SUBSCRIPTION_ID: final(117, 'the telemetry subscription is old or unknown'),
  TELEMETRY_TOO_LARGE: final(118, 'the telemetry is too large'),
  INVALID_REGISTRATION: final(119, 'the broker registration is invalid'),
  TRANSACTION_ABORTABLE: final(120, 'the transaction failed: abort it and go on'),
  INVALID_RECORD_STATE: final(121, 'the record cannot be acknowledged in its state'),
  SHARE_SESSION_NOT_FOUND: retriable(122, 'no such share session'),
  INVALID_SHARE_SESSION_EPOCH: retriable(123, 'the share session epoch is not the next one'),
  FENCED_STATE_EPOCH: final(124, 'the state epoch of the share group is another'),
  INVALID_VOTER_KEY: final(125, 'the voter key does not match'),
  DUPLICATE_VOTER: final(126, 'the voter is in the set already'),
  VOTER_NOT_FOUND: final(127, 'no such voter'),
  INVALID_REGULAR_EXPRESSION: final(128, 'the regular expression is invalid'),
  REBOOTSTRAP_REQUIRED: final(129, 'the client knows too little: start again from the bootstrap servers'),
  STREAMS_INVALID_TOPOLOGY: final(130, 'the streams topology is invalid'),
  STREAMS_INVALID_TOPOLOGY_EPOCH: final(131, 'the streams topology epoch is invalid'),
  STREAMS_TOPOLOGY_FENCED: final(132, 'the streams topology epoch is old'),
  SHARE_SESSION_LIMIT_REACHED: retriable(133, 'there are as many share sessions as there may be'),
} as const satisfies Record<string, Row>

export type KafkaErrorName = keyof typeof rows

function isErrorName(name: string): name is KafkaErrorName {
  return Object.hasOwn(rows, name)
}

const specs: readonly KafkaErrorSpec[] = Object.keys(rows)
  .filter(isErrorName)
  .map(name => {
    const [code, isRetriable, message] = rows[name]
    return { name, code, retriable: isRetriable, message }
  })

/** By name. */
export const kafkaErrors = Object.fromEntries(specs.map(spec => [spec.name, spec])) as Readonly<
  Record<KafkaErrorName, KafkaErrorSpec>
>

/** Code by name, for handlers: `kafkaErrorCode.NONE`. */
export const kafkaErrorCode = Object.fromEntries(specs.map(spec => [spec.name, spec.code])) as Readonly<
  Record<KafkaErrorName, number>
>

const byCode: ReadonlyMap<number, KafkaErrorSpec> = new Map(specs.map(spec => [spec.code, spec]))

/** Codes newer than this table count as UNKNOWN_SERVER_ERROR. */
export function findKafkaError(code: number): KafkaErrorSpec {
  return byCode.get(code) ?? kafkaErrors.UNKNOWN_SERVER_ERROR
}
