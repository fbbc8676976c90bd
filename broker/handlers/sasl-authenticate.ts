/** SaslAuthenticate v0-2, PLAIN. After a failure the connection is closed, once the reason is written. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

const noBytes = new Uint8Array(0)

export const handleSaslAuthenticate: Handler<'SaslAuthenticate'> = (
  request,
  { session },
  { authenticator, metrics },
) => {
  if (authenticator === undefined || session.sasl !== 'expects-authenticate') {
    return {
      errorCode: kafkaErrorCode.ILLEGAL_SASL_STATE,
      errorMessage: 'SaslHandshake must come first.',
      authBytes: noBytes,
    }
  }
  session.sasl = 'none'
  const user = authenticator.authenticatePlain(request.authBytes)
  if (user === undefined) {
    metrics.authenticationFailures++
    session.closeAfterAnswer = true
    const errorMessage = 'Authentication failed: Invalid username or password'
    return { errorCode: kafkaErrorCode.SASL_AUTHENTICATION_FAILED, errorMessage, authBytes: noBytes }
  }
  session.isAuthenticated = true
  session.principal = user
  return { errorCode: kafkaErrorCode.NONE, errorMessage: null, authBytes: noBytes, sessionLifetimeMs: 0n }
}
