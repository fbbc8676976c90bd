/** DescribeGroups v0-6. An unknown group is `Dead` with error 0 up to v5 and GROUP_ID_NOT_FOUND from v6 on. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

export const handleDescribeGroups: Handler<'DescribeGroups'> = async (request, { version }, { groups }) => {
  const described = request.groups.map(async groupId => {
    const group = await groups.describe(groupId)
    if (typeof group === 'string') return { ...noGroup(groupId), errorCode: kafkaErrorCode[group] }
    if (group === undefined) {
      const isError = version >= 6
      return {
        ...noGroup(groupId),
        errorCode: isError ? kafkaErrorCode.GROUP_ID_NOT_FOUND : kafkaErrorCode.NONE,
        errorMessage: isError ? `Group ${groupId} not found.` : null,
      }
    }
    return {
      errorCode: kafkaErrorCode.NONE,
      groupId,
      groupState: group.state,
      protocolType: group.protocolType,
      protocolData: group.protocolName,
      members: group.members.map(member => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId ?? null,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: member.metadata,
        memberAssignment: member.assignment,
      })),
    }
  })
  return { groups: await Promise.all(described) }
}

function noGroup(groupId: string) {
  return { groupId, groupState: 'Dead', protocolType: '', protocolData: '', members: [] }
}
