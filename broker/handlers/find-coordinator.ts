/** FindCoordinator v0-6: this agent coordinates every group. Transactions and share groups have no coordinator yet. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'
import { nodeId } from '../options.ts'

const groupKeyType = 0

export const handleFindCoordinator: Handler<'FindCoordinator'> = (request, { version }, { options }) => {
  const isServed = request.keyType === groupKeyType
  const found = isServed
    ? { errorCode: kafkaErrorCode.NONE, nodeId, host: options.advertisedHost, port: options.advertisedPort }
    : { errorCode: kafkaErrorCode.INVALID_REQUEST, nodeId: -1, host: '', port: -1 }
  const errorMessage = isServed ? null : `Coordinators of key type ${request.keyType} are not served.`
  if (version < 4) return { ...found, errorMessage }
  return {
    errorCode: kafkaErrorCode.NONE,
    nodeId: -1,
    host: '',
    port: -1,
    coordinators: request.coordinatorKeys.map(key => ({ key, ...found, errorMessage })),
  }
}
