/** JoinGroup v0-9. Answers when the join phase completes (groups/group.ts); v4 and newer first hand out a member id (KIP-394). */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

export const handleJoinGroup: Handler<'JoinGroup'> = async (request, { version, clientId, session }, { groups }) => {
  const answer = await groups.join({
    groupId: request.groupId,
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId ?? undefined,
    clientId,
    clientHost: `/${session.clientHost}`,
    protocolType: request.protocolType,
    protocols: request.protocols,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs < 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
    requiresKnownMemberId: version >= 4,
    supportsSkippingAssignment: version >= 9,
  })
  return {
    errorCode: kafkaErrorCode[answer.error],
    generationId: answer.generationId,
    protocolType: answer.protocolType ?? null,
    protocolName: answer.protocolName ?? (version >= 7 ? null : ''),
    leader: answer.leader,
    skipAssignment: answer.skipAssignment,
    memberId: answer.memberId,
    members: answer.members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId: groupInstanceId ?? null,
      metadata,
    })),
  }
}
