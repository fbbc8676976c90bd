/** ListGroups v0-5, with filters by state (v4) and type (v5); every group is of the classic type. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

const groupType = 'classic'

export const handleListGroups: Handler<'ListGroups'> = async (request, _call, { groups }) => {
  const states = new Set(request.statesFilter.map(state => state.toLowerCase()))
  const types = new Set(request.typesFilter.map(type => type.toLowerCase()))
  const listed = (await groups.list()).filter(
    ({ state }) => (states.size === 0 || states.has(state.toLowerCase())) && (types.size === 0 || types.has(groupType)),
  )
  return {
    errorCode: kafkaErrorCode.NONE,
    groups: listed.map(({ groupId, protocolType, state }) => ({ groupId, protocolType, groupState: state, groupType })),
  }
}
