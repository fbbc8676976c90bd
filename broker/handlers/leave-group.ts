/** LeaveGroup v0-5. One member up to v2; from v3 on several, each with its own result (KIP-345). */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

export const handleLeaveGroup: Handler<'LeaveGroup'> = (request, { version }, { groups }) => {
  const { groupId } = request
  if (version < 3) {
    const [error] = groups.leave(groupId, [{ memberId: request.memberId, groupInstanceId: undefined }])
    return { errorCode: kafkaErrorCode[error!] }
  }
  if (groupId === '') return { errorCode: kafkaErrorCode.INVALID_GROUP_ID, members: [] }
  const results = groups.leave(
    groupId,
    request.members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId: groupInstanceId ?? undefined,
    })),
  )
  return {
    errorCode: kafkaErrorCode.NONE,
    members: request.members.map(({ memberId, groupInstanceId }, index) => ({
      memberId,
      groupInstanceId,
      errorCode: kafkaErrorCode[results[index]!],
    })),
  }
}
