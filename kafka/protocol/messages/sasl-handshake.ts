import type { Decoded, Encodable } from '../schema.ts'
import { array, int16, string, struct } from '../schema.ts'

/**
 * SaslHandshake (key 17), versions 0-1, never flexible. After v0 the tokens follow as bare sized bytes, after v1 in SaslAuthenticate.
 */
export const saslHandshakeRequest = struct({
  mechanism: string(),
})

export const saslHandshakeResponse = struct({
  errorCode: int16(),
  /** The mechanisms offered. */
  mechanisms: array(string()),
})

export type SaslHandshakeRequest = Decoded<typeof saslHandshakeRequest>
export type SaslHandshakeResponse = Encodable<typeof saslHandshakeResponse>
