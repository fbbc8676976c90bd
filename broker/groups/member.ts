/**
 * One member of a classic group. Joins and syncs that wait are functions to call with the answer: a member has at most one of
 * each, and whoever replaces it answers the old one first.
 */
import { type JoinAnswer, type JoinProtocol, type JoinRequest, noBytes, type SyncAnswer } from './types.ts'

export interface Member {
  memberId: string
  readonly groupInstanceId: string | undefined
  readonly clientId: string
  readonly clientHost: string
  protocols: readonly JoinProtocol[]
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  assignment: Uint8Array
  /** Joined, and no join phase has completed since: its heartbeats cannot have begun. */
  isNew: boolean
  answerJoin: ((answer: JoinAnswer) => void) | undefined
  answerSync: ((answer: SyncAnswer) => void) | undefined
  /** The member is gone unless heard from by then; not looked at while a join or a sync of it waits. */
  expiresMs: number
}

export function createMember(request: JoinRequest, memberId: string): Member {
  return {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    protocols: ownProtocols(request.protocols),
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    assignment: noBytes,
    isNew: true,
    answerJoin: undefined,
    answerSync: undefined,
    expiresMs: Number.POSITIVE_INFINITY,
  }
}

/** Metadata of a request is a view of its frame: copied, so that a member does not keep a whole frame alive. */
export function ownProtocols(protocols: readonly JoinProtocol[]): readonly JoinProtocol[] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) }))
}

export function findMetadata(member: Member, protocolName: string | undefined): Uint8Array {
  return member.protocols.find(protocol => protocol.name === protocolName)?.metadata ?? noBytes
}

/** Same names in the same order with the same metadata. */
export function matchesProtocols(member: Member, protocols: readonly JoinProtocol[]): boolean {
  if (member.protocols.length !== protocols.length) return false
  return member.protocols.every((own, index) => {
    const other = protocols[index]!
    return own.name === other.name && Buffer.compare(own.metadata, other.metadata) === 0
  })
}
