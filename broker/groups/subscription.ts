/**
 * The one thing the broker reads of a consumer's otherwise opaque metadata: which topics it subscribes to.
 *
 *   metadata := int16 version, int32 topic count, (int16 length, topic)*, ...
 *
 * Every version begins like this, so none need be known here. Source: Kafka's ConsumerProtocolSubscription.
 */

/** Undefined: the metadata cannot be read, so that the consumer may subscribe to anything. */
export function readSubscribedTopics(metadata: Uint8Array): readonly string[] | undefined {
  const bytes = Buffer.from(metadata.buffer, metadata.byteOffset, metadata.byteLength)
  if (bytes.length < 6) return undefined
  const count = bytes.readInt32BE(2)
  if (count < 0) return undefined
  const topics: string[] = []
  let at = 6
  for (let index = 0; index < count; index++) {
    if (bytes.length - at < 2) return undefined
    const length = bytes.readInt16BE(at)
    at += 2
    if (length < 0 || length > bytes.length - at) return undefined
    topics.push(bytes.toString('utf8', at, at + length))
    at += length
  }
  return topics
}
