import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ApiName } from '../../../../kafka/api-keys.ts'
import type { RequestInput, ResponseBody } from '../../../../kafka/protocol/codec.ts'
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../../../kafka/protocol/codec.ts'
import type { MessageCase } from '../support/message-arbitrary.ts'
import { fieldsOf, messageArbitrary, messageCases, withDefaults } from '../support/message-arbitrary.ts'

function roundTrip({ api, version, direction }: MessageCase, value: unknown): unknown {
  if (direction === 'request') {
    const header = { correlationId: 77, clientId: 'round-trip' }
    const frame = Buffer.concat(encodeRequest(api, version, header, value as RequestInput<ApiName>))
    expect(frame.readInt32BE(0)).toBe(frame.length - 4)
    const body = frame.subarray(4)
    const decoded = decodeRequestHeader(body)
    expect(decoded).toMatchObject({ api, apiVersion: version, isServed: true, ...header })
    return decodeRequest(api, version, body, decoded.bodyOffset)
  }
  const frame = Buffer.concat(encodeResponse(api, version, 78, value as ResponseBody<ApiName>))
  expect(frame.readInt32BE(0)).toBe(frame.length - 4)
  const { correlationId, body } = decodeResponse(api, version, frame.subarray(4))
  expect(correlationId).toBe(78)
  return body
}

describe('every message in every version decodes to what was encoded', () => {
  test.each(messageCases.map(each => [`${each.api} v${each.version} ${each.direction}`, each] as const))(
    '%s',
    (_, scope) => {
      fc.assert(
        fc.property(messageArbitrary(scope), value => {
          expect(roundTrip(scope, value)).toEqual(withDefaults(fieldsOf(scope), value, scope))
        }),
        { numRuns: 12 },
      )
    },
  )
})
