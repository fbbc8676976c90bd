/** kafkajs: the oldest protocol versions in use. Admin, gzip, groups, seek, offsets by time. */
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { readStoredCodecs, type Scenario, type Transcript } from './scenario.ts'

export async function runKafkajs({ address, prefix }: Scenario): Promise<Transcript> {
  const transcript: Transcript = {}
  const topic = `${prefix}-main`
  const kafka = new Kafka({
    brokers: [address],
    clientId: 'interop',
    logLevel: logLevel.NOTHING,
    retry: { retries: 3 },
  })
  const admin = kafka.admin()
  await admin.connect()
  transcript.created = await admin.createTopics({
    topics: [{ topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '3600000' }] }],
  })
  transcript['created again'] = await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const send = async (compression: CompressionTypes, partition: number, firstMs: number) => {
    const messages = Array.from({ length: 20 }, (_, index) => ({
      key: `k${index}`,
      value: index === 3 ? null : `value ${index}`,
      headers: { index: String(index) },
      timestamp: String(firstMs + index),
      partition,
    }))
    const sent = await producer.send({ topic, compression, messages })
    return sent.map(({ partition: to, errorCode, baseOffset }) => [to, errorCode, baseOffset])
  }
  transcript['sent plain'] = await send(CompressionTypes.None, 0, 1_700_000_000_000)
  transcript['sent gzip'] = await send(CompressionTypes.GZIP, 1, 1_700_000_000_000)
  transcript['sent later'] = await send(CompressionTypes.GZIP, 0, 1_700_000_100_000)
  transcript.stored = await readStoredCodecs(address, topic)
  for (const acks of [0, 1]) {
    const plain = kafka.producer()
    await plain.connect()
    const sent = await plain.send({ topic, acks, messages: [{ value: `acks ${acks}`, partition: 1 }] })
    transcript[`acks ${acks}`] = sent.length
    await plain.disconnect()
  }
  const sortByPartition = <T extends { partition: number }>(list: T[]): T[] =>
    list.sort((a, b) => a.partition - b.partition)
  transcript.offsets = sortByPartition(await admin.fetchTopicOffsets(topic))
  transcript['offsets by time'] = sortByPartition(await admin.fetchTopicOffsetsByTimestamp(topic, 1_700_000_000_005))

  const read = async (groupId: string, count: number, seekTo?: string) => {
    const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const seen: string[] = []
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ partition, message }) => {
            if (seen.length >= count) return
            const headers = message.headers?.index?.toString() ?? '-'
            seen.push(`${partition}|${message.offset}|${message.key}|${message.value}|${headers}`)
            if (seen.length >= count) resolve()
          },
        })
        .catch(reject)
      if (seekTo !== undefined) consumer.seek({ topic, partition: 0, offset: seekTo })
    })
    await consumer.disconnect()
    return seen.sort()
  }
  transcript.consumed = await read(`${prefix}-g`, 62)
  transcript.committed = (await admin.fetchOffsets({ groupId: `${prefix}-g`, topics: [topic] })).map(each => ({
    topic: each.topic,
    partitions: sortByPartition(each.partitions),
  }))
  transcript.group = (await admin.describeGroups([`${prefix}-g`])).groups.map(({ groupId, state, members }) => [
    groupId,
    state,
    members.length,
  ])
  await admin.setOffsets({
    groupId: `${prefix}-g`,
    topic,
    partitions: [
      { partition: 0, offset: '30' },
      { partition: 1, offset: '22' },
    ],
  })
  transcript['after set offsets'] = await read(`${prefix}-g`, 10)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '10' }] })
  transcript['after delete records'] = sortByPartition(await admin.fetchTopicOffsets(topic))
  const configs = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: topic, configNames: ['retention.ms', 'cleanup.policy', 'max.message.bytes'] }],
  })
  transcript.configs = configs.resources[0]!.configEntries.map(({ configName, configValue, isDefault }) => [
    configName,
    configValue,
    isDefault,
  ]).sort()
  await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
  transcript.grown = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions.length
  transcript['groups deleted'] = (await admin.deleteGroups([`${prefix}-g`])).map(({ groupId, errorCode }) => [
    groupId,
    errorCode,
  ])
  await admin.deleteTopics({ topics: [topic] })
  transcript.listed = (await admin.listTopics()).filter(name => name.startsWith(prefix))
  await producer.disconnect()
  await admin.disconnect()
  return transcript
}
