import { expect, test } from 'vitest'
import type { CatalogClient } from '../../../catalog/client.ts'
import { makeFixture } from './catalog-fixture.ts'

test('a topic is created once; its namesake is shown as it is', async () => {
  const { client } = await makeFixture().open()
  const created = await client.createTopic('orders', 3, { b: '2', a: '1' })
  expect(created).toMatchObject({ outcome: 'created', topic: { name: 'orders', partitionCount: 3 } })
  const again = await client.createTopic('orders', 9, {})
  expect(again).toEqual({ outcome: 'exists', topic: created.topic })
  expect(await client.topicByName('orders')).toEqual(created.topic)
  expect(await client.topicById(created.topic.topicId)).toEqual(created.topic)
  expect(await client.topicByName('Orders')).toBeUndefined()
  expect(await client.topics()).toEqual([created.topic])
})

test('a deleted topic is gone with its committed offsets, and a namesake has another id', async () => {
  const { client } = await makeFixture().open()
  await claimGroups(client, ['g', 'only orders'])
  const { topic } = await client.createTopic('orders', 1, {})
  const offset = { partition: 0, offset: 7n, leaderEpoch: 0, metadata: '', committedMs: 1 }
  await client.commitGroupOffsets(
    'g',
    [
      { ...offset, topic: 'orders' },
      { ...offset, topic: 'other' },
    ],
    1,
  )
  await client.commitGroupOffsets('only orders', [{ ...offset, topic: 'orders' }], 2)
  expect(await client.deleteTopic(topic.topicId)).toBe('deleted')
  expect(await client.deleteTopic(topic.topicId)).toBe('unknown-topic')
  expect(await client.deleteTopic('no uuid')).toBe('unknown-topic')
  expect(await client.partitionStates([{ topicId: topic.topicId, partition: 0 }])).toEqual([undefined])
  expect(await client.groupOffsets('g')).toEqual([{ ...offset, topic: 'other' }])
  expect(await client.groups()).toEqual(['g'])
  const { topic: namesake } = await client.createTopic('orders', 1, {})
  expect(namesake.topicId).not.toBe(topic.topicId)
})

/** In this order their claims have the epochs 1, 2 and so on. */
async function claimGroups(client: CatalogClient, groups: readonly string[]): Promise<void> {
  const instanceId = new Uint8Array(16).fill(7)
  await client.registerNode({ instanceId, roles: ['broker'], kafkaHost: 'here', kafkaPort: 9092 })
  for (const [index, group] of groups.entries()) {
    expect(await client.claimGroup(group, instanceId)).toEqual({ outcome: 'claimed', epoch: index + 1 })
  }
}

test('configs are set and removed one by one', async () => {
  const { client } = await makeFixture().open()
  const { topic } = await client.createTopic('orders', 1, { a: '1', b: '2' })
  expect(await client.alterTopicConfigs(topic.topicId, { a: undefined, c: '3', b: '4' })).toBe('altered')
  expect((await client.topicByName('orders'))?.configs).toEqual({ b: '4', c: '3' })
  expect(await client.alterTopicConfigs('00000000-0000-0000-0000-000000000000', {})).toBe('unknown-topic')
})

test('partitions only grow, within limits', async () => {
  const { client } = await makeFixture().open()
  const { topic } = await client.createTopic('orders', 2, {})
  expect(await client.createPartitions(topic.topicId, 2)).toBe('not-an-increase')
  expect(await client.createPartitions(topic.topicId, 5)).toBe('created')
  expect((await client.topicByName('orders'))?.partitionCount).toBe(5)
  await expect(client.createPartitions(topic.topicId, 100_001)).rejects.toMatchObject({ kind: 'invalid' })
  await expect(client.createTopic('none', 0, {})).rejects.toMatchObject({
    message: 'partition count is 0: 1 to 100000 are allowed',
  })
})

test('group offsets are kept, replaced and deleted by partition or all', async () => {
  const { client } = await makeFixture().open()
  await claimGroups(client, ['g'])
  const offset = { topic: 't', partition: 0, offset: 5n, leaderEpoch: -1, metadata: 'größe', committedMs: 9 }
  await client.commitGroupOffsets('g', [offset, { ...offset, partition: 1, offset: -1n }], 1)
  await client.commitGroupOffsets('g', [{ ...offset, offset: 6n }], 1)
  expect(await client.groupOffsets('g')).toEqual([
    { ...offset, offset: 6n },
    { ...offset, partition: 1, offset: -1n },
  ])
  await client.deleteGroupOffsets('g', [{ topic: 't', partition: 0 }], 1)
  expect((await client.groupOffsets('g')).map(({ partition }) => partition)).toEqual([1])
  await client.deleteGroupOffsets('g', 'all', 1)
  expect(await client.groups()).toEqual([])
  expect(await client.groupOffsets('g')).toEqual([])
})

test('waiting for appends ends with one, and at its time without', async () => {
  const { client } = await makeFixture().open()
  const { topic } = await client.createTopic('orders', 1, {})
  const { grantId } = await client.grantNames('segment', 1, 1000)
  const position = client.appendPosition()
  expect(await client.waitForAppends(position, 0)).toBe(false)
  const waiting = client.waitForAppends(position, 60_000)
  await client.commitSegment({
    grantId,
    nameIndex: 0,
    segmentBytes: 10,
    batches: [
      {
        topicId: topic.topicId,
        partition: 0,
        byteOffset: 0,
        byteLength: 10,
        offsetCount: 1,
        maxTimestampMs: 1,
        producerId: -1n,
        producerEpoch: -1,
        baseSequence: -1,
      },
    ],
  })
  expect(await waiting).toBe(true)
  expect(client.appendPosition()).toBe(position + 1)
  expect(await client.waitForAppends(position, 60_000)).toBe(true)
  const abort = new AbortController()
  const aborted = client.waitForAppends(position + 1, 60_000, abort.signal)
  abort.abort()
  expect(await aborted).toBe(false)
})
