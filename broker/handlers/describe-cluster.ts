/** DescribeCluster v0-2: one node, which is the controller too. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'
import { nodeId } from '../options.ts'

const brokersEndpoint = 1

export const handleDescribeCluster: Handler<'DescribeCluster'> = async (request, _call, { catalog, options }) => {
  const clusterId = await catalog.clusterId()
  if (request.endpointType !== brokersEndpoint) {
    return {
      errorCode: kafkaErrorCode.MISMATCHED_ENDPOINT_TYPE,
      errorMessage: 'This endpoint serves brokers, not controllers.',
      clusterId,
      brokers: [],
    }
  }
  return {
    errorCode: kafkaErrorCode.NONE,
    clusterId,
    controllerId: nodeId,
    brokers: [{ brokerId: nodeId, host: options.advertisedHost, port: options.advertisedPort }],
  }
}
