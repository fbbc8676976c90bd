/** Heartbeat v0-4. REBALANCE_IN_PROGRESS only while the group prepares a rebalance. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

export const handleHeartbeat: Handler<'Heartbeat'> = async (request, _call, { groups }) => {
  const { groupId, memberId, generationId } = request
  const identity = { memberId, groupInstanceId: request.groupInstanceId ?? undefined }
  return { errorCode: kafkaErrorCode[await groups.heartbeat(groupId, identity, generationId)] }
}
