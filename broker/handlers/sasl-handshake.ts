/** SaslHandshake v0-1: names the mechanism. After v0 the token comes as a bare frame without Kafka headers. */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import { saslMechanisms } from '../authenticator.ts'
import type { Handler } from '../context.ts'

export const handleSaslHandshake: Handler<'SaslHandshake'> = ({ mechanism }, { version, session }, context) => {
  if (context.authenticator === undefined) return { errorCode: kafkaErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }
  if (!saslMechanisms.includes(mechanism)) {
    return { errorCode: kafkaErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: saslMechanisms }
  }
  session.sasl = version === 0 ? 'expects-raw-token' : 'expects-authenticate'
  return { errorCode: kafkaErrorCode.NONE, mechanisms: saslMechanisms }
}
