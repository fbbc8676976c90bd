/** LeaveGroup v0-5. One member up to v2; from v3 on several, each with its own result (KIP-345). */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

export const handleLeaveGroup: Handler<'LeaveGroup'> = async (request, { version }, { groups }) => {
  const { groupId } = request
  if (version < 3) {
    const left = await groups.leave(groupId, [{ memberId: request.memberId, groupInstanceId: undefined }])
    return { errorCode: kafkaErrorCode[typeof left === 'string' ? left : left[0]!] }
  }
  const results = await groups.leave(
    groupId,
    request.members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId: groupInstanceId ?? undefined,
    })),
  )
  if (typeof results === 'string') return { errorCode: kafkaErrorCode[results], members: [] }
  return {
    errorCode: kafkaErrorCode.NONE,
    members: request.members.map(({ memberId, groupInstanceId }, index) => ({
      memberId,
      groupInstanceId,
      errorCode: kafkaErrorCode[results[index]!],
    })),
  }
}
