/** SyncGroup v0-5. Followers wait for the leader's assignment. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

export const handleSyncGroup: Handler<'SyncGroup'> = async (request, _call, { groups }) => {
  const answer = await groups.sync({
    groupId: request.groupId,
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId ?? undefined,
    generationId: request.generationId,
    protocolType: request.protocolType ?? undefined,
    protocolName: request.protocolName ?? undefined,
    assignments: request.assignments,
  })
  return {
    errorCode: kafkaErrorCode[answer.error],
    protocolType: answer.protocolType ?? null,
    protocolName: answer.protocolName ?? null,
    assignment: answer.assignment,
  }
}
