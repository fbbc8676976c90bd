/** @platformatic/kafka: flexible versions only. Admin, every codec, groups, offsets by time. */
import {
  Admin,
  Consumer,
  ListOffsetTimestamps,
  MessagesStreamModes,
  ProduceAcks,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { codecs, readStoredCodecs, type Scenario, type Transcript } from './scenario.ts'

export async function runPlatformatic({ address, prefix }: Scenario): Promise<Transcript> {
  const transcript: Transcript = {}
  const common = { clientId: 'interop', bootstrapBrokers: [address], retries: 3 }
  const topic = `${prefix}-main`
  const admin = new Admin(common)
  const created = await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 })
  transcript.created = created.map(({ name, partitions, replicas }) => [name, partitions, replicas])
  transcript['created twice'] = await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 }).then(
    () => 'created',
    () => 'refused',
  )
  for (const compression of codecs) {
    const producer = new Producer({ ...common, serializers: stringSerializers, idempotent: true, compression })
    const name = `${prefix}-${compression}`
    const messages = Array.from({ length: 30 }, (_, index) => ({
      topic: name,
      partition: 0,
      key: `k${index}`,
      value: `value ${index} ${'x'.repeat(50)}`,
      timestamp: BigInt(1_700_000_000_000 + index),
    }))
    await admin.createTopics({ topics: [name], partitions: 1, replicas: 1 })
    const { offsets } = await producer.send({ messages, acks: ProduceAcks.ALL })
    transcript[`sent ${compression}`] = offsets?.map(({ partition, offset }) => [partition, offset])
    transcript[`stored ${compression}`] = await readStoredCodecs(address, name)
    await producer.close()
  }
  const consumer = new Consumer({
    ...common,
    groupId: `${prefix}-g`,
    deserializers: stringDeserializers,
    sessionTimeout: 10_000,
  })
  const stream = await consumer.consume({
    topics: [`${prefix}-zstd`, `${prefix}-none`],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: false,
    maxWaitTime: 200,
  })
  const seen: string[] = []
  for await (const message of stream) {
    seen.push(
      `${message.topic}|${message.partition}|${message.offset}|${message.key}|${message.value}|${message.timestamp}`,
    )
    if (seen.length === 60) {
      await message.commit()
      break
    }
  }
  await stream.close()
  transcript.consumed = seen.sort()
  const describe = async () => {
    const groups = await admin.describeGroups({ groups: [`${prefix}-g`] })
    return [...groups.values()].map(({ state, protocolType, members }) => [state, protocolType, members.size])
  }
  transcript['group while open'] = await describe()
  await consumer.close()
  transcript['group after'] = (await describe()).map(([state, , members]) => [state, members])
  for (const timestamp of [1_700_000_000_007n, ListOffsetTimestamps.EARLIEST, ListOffsetTimestamps.LATEST]) {
    const topics = [{ name: `${prefix}-gzip`, partitions: [{ partitionIndex: 0, timestamp }] }]
    const offsets = await admin.listOffsets({ topics })
    transcript[`offset at ${timestamp}`] = offsets.map(({ name, partitions }) => [name, partitions[0]!.offset])
  }
  await admin.deleteTopics({ topics: [topic] })
  transcript.listed = (await admin.listTopics({ includeInternals: false }))
    .filter(name => name.startsWith(prefix))
    .sort()
  await admin.close()
  return transcript
}
