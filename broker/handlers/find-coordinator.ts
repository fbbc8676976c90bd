/** FindCoordinator v0-6, of classic groups. Transactions and share groups have no coordinator yet. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

const groupKeyType = 0

export const handleFindCoordinator: Handler<'FindCoordinator'> = async (request, { version }, { cluster }) => {
  const { keyType } = request
  const find = async (key: string) => {
    if (keyType !== groupKeyType) {
      const errorMessage = `Coordinators of key type ${keyType} are not served.`
      return { errorCode: kafkaErrorCode.INVALID_REQUEST, nodeId: -1, host: '', port: -1, errorMessage }
    }
    const { nodeId, kafkaHost, kafkaPort } = await cluster.coordinator(key)
    return { errorCode: kafkaErrorCode.NONE, nodeId, host: kafkaHost, port: kafkaPort, errorMessage: null }
  }
  if (version < 4) return find(request.key)
  return {
    errorCode: kafkaErrorCode.NONE,
    nodeId: -1,
    host: '',
    port: -1,
    coordinators: await Promise.all(request.coordinatorKeys.map(async key => ({ key, ...(await find(key)) }))),
  }
}
