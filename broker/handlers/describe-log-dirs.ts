/** DescribeLogDirs v1-4: one "directory", the object store, with the bytes that each partition refers to. */
import type { Topic } from '../../catalog/client.ts'
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { Handler } from '../context.ts'
import { findTopicByName } from '../find-topic.ts'
import { measurePartition } from '../partition-size.ts'

export const handleDescribeLogDirs: Handler<'DescribeLogDirs'> = async (request, _call, { catalog }) => {
  const wanted: { topic: Topic; partitions: readonly number[] }[] = []
  if (request.topics === null) {
    for (const topic of await catalog.topics()) {
      wanted.push({ topic, partitions: Array.from({ length: topic.partitionCount }, (_, index) => index) })
    }
  } else {
    for (const { topic: name, partitions } of request.topics) {
      const topic = await findTopicByName(catalog, name)
      if (topic === undefined) continue
      wanted.push({ topic, partitions: partitions.filter(index => index >= 0 && index < topic.partitionCount) })
    }
  }
  const topics = []
  for (const { topic, partitions } of wanted) {
    const measured = []
    for (const partitionIndex of partitions) {
      const partitionSize = BigInt(await measurePartition(catalog, topic.topicId, partitionIndex))
      measured.push({ partitionIndex, partitionSize, offsetLag: 0n, isFutureKey: false })
    }
    if (measured.length > 0) topics.push({ name: topic.name, partitions: measured })
  }
  return {
    errorCode: kafkaErrorCode.NONE,
    results: [{ errorCode: kafkaErrorCode.NONE, logDir: 'object-store', topics }],
  }
}
