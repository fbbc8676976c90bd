/**
 * InitProducerId v0-5. Without a transactional id it always succeeds with a fresh id, whatever id and epoch the request names
 * (clients send -1/-1 or 0/0). Transactions are not served yet.
 */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'

export const handleInitProducerId: Handler<'InitProducerId'> = async (request, _call, { producerIds, log }) => {
  if (request.transactionalId === '') return { errorCode: kafkaErrorCode.INVALID_REQUEST }
  if (request.transactionalId !== null) {
    log.warn('transactions are not served yet: a transactional producer was refused', {
      transactionalId: request.transactionalId,
    })
    // Fatal for the producer, with a code that every client reports as "not allowed" at once instead of retrying for ever.
    return { errorCode: kafkaErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED }
  }
  return { errorCode: kafkaErrorCode.NONE, producerId: await producerIds.take(), producerEpoch: 0 }
}
