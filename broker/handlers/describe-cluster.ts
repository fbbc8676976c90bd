/** DescribeCluster v0-2: the agents that serve clients. Every one calls itself the controller: any serves what they are asked. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

const brokersEndpoint = 1

export const handleDescribeCluster: Handler<'DescribeCluster'> = async (request, _call, { catalog, cluster }) => {
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
    controllerId: cluster.own.nodeId,
    brokers: (await cluster.brokers()).map(({ nodeId, kafkaHost, kafkaPort }) => ({
      brokerId: nodeId,
      host: kafkaHost,
      port: kafkaPort,
    })),
  }
}
