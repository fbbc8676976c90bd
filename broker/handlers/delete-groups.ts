/** DeleteGroups v0-2: the group must have no members; its offsets go with it. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

export const handleDeleteGroups: Handler<'DeleteGroups'> = async (request, _call, { groups }) => {
  const results = request.groupsNames.map(async groupId => ({
    groupId,
    errorCode: kafkaErrorCode[await groups.delete(groupId)],
  }))
  return { results: await Promise.all(results) }
}
