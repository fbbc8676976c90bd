import { FloeError } from '../../core/errors.ts'
import type { BatchCursor } from './batch.ts'
import { RecordCursor } from './record-cursor.ts'

/**
 * What a control batch says. Types other than the two transaction markers exist inside Kafka's own topics and mean nothing to
 * readers of others.
 *
 * errors  corrupt: the batch has no readable control record
 */
export function readControlType(batch: BatchCursor): 'abort' | 'commit' | 'other' {
  const records = new RecordCursor()
  const payload = batch.payload
  records.reset(payload, batch.recordCount)
  if (!records.next() || records.keyBytes < 4) {
    throw new FloeError('corrupt', 'corrupt-control-batch', `control batch at offset ${batch.baseOffset} has no type`)
  }
  const type = (payload[records.keyAt + 2]! << 8) | payload[records.keyAt + 3]!
  return type === 0 ? 'abort' : type === 1 ? 'commit' : 'other'
}
