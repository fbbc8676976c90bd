/**
 * The one thing the broker reads of a consumer's otherwise opaque metadata: which topics it subscribes to.
 *
 *   metadata := int16 version, int32 topic count, (int16 length, topic)*, ...
 *
 * Source: Kafka's ConsumerProtocolSubscription. Malformed metadata names no topic: the client made it, for other clients.
 */
export function readSubscribedTopics(metadata: Uint8Array): readonly string[] {
  const bytes = Buffer.from(metadata.buffer, metadata.byteOffset, metadata.byteLength)
  if (bytes.length < 6) return []
  const count = bytes.readInt32BE(2)
  const topics: string[] = []
  let at = 6
  for (let index = 0; index < count; index++) {
    if (bytes.length - at < 2) return []
    const length = bytes.readInt16BE(at)
    at += 2
    if (length < 0 || length > bytes.length - at) return []
    topics.push(bytes.toString('utf8', at, at + length))
    at += length
  }
  return topics
}
