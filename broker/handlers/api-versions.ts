/**
 * ApiVersions v0-4 (KIP-511). Names exactly the calls that have a handler. Works before authentication and again after it.
 *
 * No features are named: clients then stay with transactions v1 and the classic group protocol.
 */
import { type ApiName, apis } from '../../kafka/api-keys.ts'
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { ResponseBody } from '../../kafka/protocol/codec.ts'
import type { Handler } from '../context.ts'

/** What Kafka accepts as client software name and version. */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export function createApiVersionsHandler(served: () => readonly ApiName[]): Handler<'ApiVersions'> {
  return ({ clientSoftwareName, clientSoftwareVersion }, { version, session }) => {
    if (version >= 3) {
      if (!softwarePattern.test(clientSoftwareName) || !softwarePattern.test(clientSoftwareVersion)) {
        return { errorCode: kafkaErrorCode.INVALID_REQUEST, apiKeys: [] }
      }
      session.clientSoftware = `${clientSoftwareName} ${clientSoftwareVersion}`
    }
    return { errorCode: kafkaErrorCode.NONE, apiKeys: served().map(describeApi) }
  }
}

/** To a version we do not know: in v0, naming the versions of this call, so that the client can ask again. */
export const unsupportedApiVersions: ResponseBody<'ApiVersions'> = {
  errorCode: kafkaErrorCode.UNSUPPORTED_VERSION,
  apiKeys: [describeApi('ApiVersions')],
}

function describeApi(name: ApiName): { apiKey: number; minVersion: number; maxVersion: number } {
  const { key, advertisedMin, max } = apis[name]
  return { apiKey: key, minVersion: advertisedMin, maxVersion: max }
}
