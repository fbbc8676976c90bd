import type { Decoded, Encodable } from '../schema.ts'
import { bytes, int16, int64, string, struct } from '../schema.ts'

/**
 * SaslAuthenticate (key 36), versions 0-2, flexible from 2. v1 session lifetime (KIP-368).
 */
export const saslAuthenticateRequest = struct({
  authBytes: bytes(),
})

export const saslAuthenticateResponse = struct({
  errorCode: int16(),
  errorMessage: string({ nullable: 0 }),
  authBytes: bytes(),
  /** 0: no need to authenticate again. */
  sessionLifetimeMs: int64({ from: 1 }),
})

export type SaslAuthenticateRequest = Decoded<typeof saslAuthenticateRequest>
export type SaslAuthenticateResponse = Encodable<typeof saslAuthenticateResponse>
