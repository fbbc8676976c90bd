/**
 * What the group coordinator is asked and what it answers, free of protocol versions: handlers translate. `error` is a Kafka
 * error code by name (kafka error table).
 */
export type GroupError =
  | 'NONE'
  | 'COORDINATOR_NOT_AVAILABLE'
  | 'NOT_COORDINATOR'
  | 'ILLEGAL_GENERATION'
  | 'INCONSISTENT_GROUP_PROTOCOL'
  | 'INVALID_GROUP_ID'
  | 'UNKNOWN_MEMBER_ID'
  | 'INVALID_SESSION_TIMEOUT'
  | 'REBALANCE_IN_PROGRESS'
  | 'MEMBER_ID_REQUIRED'
  | 'FENCED_INSTANCE_ID'
  | 'GROUP_MAX_SIZE_REACHED'
  | 'GROUP_ID_NOT_FOUND'
  | 'NON_EMPTY_GROUP'

export interface JoinProtocol {
  readonly name: string
  /** Opaque to the broker; owned by the group once the member joined. */
  readonly metadata: Uint8Array
}

export interface JoinRequest {
  readonly groupId: string
  /** Empty: not known yet. */
  readonly memberId: string
  /** KIP-345 static membership. */
  readonly groupInstanceId: string | undefined
  readonly clientId: string
  readonly clientHost: string
  readonly protocolType: string
  readonly protocols: readonly JoinProtocol[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** JoinGroup v4 and newer: a dynamic member first gets its id (KIP-394). */
  readonly requiresKnownMemberId: boolean
  /** JoinGroup v9 and newer: the leader may be told to skip the assignment (KIP-814). */
  readonly supportsSkippingAssignment: boolean
}

export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | undefined
  readonly metadata: Uint8Array
}

export interface JoinAnswer {
  readonly error: GroupError
  readonly memberId: string
  /** -1 with an error. */
  readonly generationId: number
  readonly protocolType: string | undefined
  readonly protocolName: string | undefined
  readonly leader: string
  readonly skipAssignment: boolean
  /** Only for the leader. */
  readonly members: readonly JoinedMember[]
}

export interface MemberAssignment {
  readonly memberId: string
  /** Opaque to the broker. */
  readonly assignment: Uint8Array
}

export interface SyncRequest {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | undefined
  readonly generationId: number
  /** Undefined before SyncGroup v5. */
  readonly protocolType: string | undefined
  readonly protocolName: string | undefined
  readonly assignments: readonly MemberAssignment[]
}

export interface SyncAnswer {
  readonly error: GroupError
  readonly protocolType: string | undefined
  readonly protocolName: string | undefined
  readonly assignment: Uint8Array
}

/** Who a client says that it is. */
export interface MemberIdentity {
  readonly memberId: string
  readonly groupInstanceId: string | undefined
}

export interface GroupLimits {
  readonly initialRebalanceDelayMs: number
  readonly sizeMax: number
  readonly newMemberJoinMsMax: number
}

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface GroupDescription {
  readonly groupId: string
  readonly state: GroupState
  readonly protocolType: string
  readonly protocolName: string
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | undefined
    readonly clientId: string
    readonly clientHost: string
    readonly metadata: Uint8Array
    readonly assignment: Uint8Array
  }[]
}

export const noBytes = new Uint8Array(0)

export function refuseJoin(error: GroupError, memberId: string): JoinAnswer {
  return {
    error,
    memberId,
    generationId: -1,
    protocolType: undefined,
    protocolName: undefined,
    leader: '',
    skipAssignment: false,
    members: [],
  }
}

export function refuseSync(error: GroupError): SyncAnswer {
  return { error, protocolType: undefined, protocolName: undefined, assignment: noBytes }
}
