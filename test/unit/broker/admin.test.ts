/** Topics, configs, groups and offsets over the wire; retention. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterView } from '../../../broker/cluster-view.ts'
import { GroupCoordinator } from '../../../broker/groups/coordinator.ts'
import { GroupExpiry } from '../../../broker/groups/expiry.ts'
import { BrokerMetrics } from '../../../broker/metrics.ts'
import { brokerOptionDefaults } from '../../../broker/options.ts'
import { Retention } from '../../../broker/retention.ts'
import { Membership } from '../../../catalog/node/membership.ts'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { FloeError } from '../../../core/errors.ts'
import { type Log, silentLog } from '../../../core/log.ts'
import { systemRandom } from '../../../core/random.ts'
import { kafkaErrorCode } from '../../../kafka/errors.ts'
import { collectLog } from '../../support/collect-log.ts'
import { type InMemoryBroker, startInMemoryBroker, type TestClient } from '../../support/in-memory-broker.ts'
import { createTopic, encode, fetchOne, makeBatch, produce } from './harness.ts'

let running: InMemoryBroker
let client: TestClient

beforeAll(async () => {
  running = await startInMemoryBroker({ partitionCountDefault: 2 })
  client = running.connect()
})
afterAll(() => running.close())

describe('metadata', () => {
  it('creates an unknown topic durably before it answers, unless told not to', async () => {
    const ask = (allowAutoTopicCreation: boolean) =>
      client.call('Metadata', { topics: [{ name: 'fresh' }], allowAutoTopicCreation }, 9)
    expect((await ask(false)).topics[0]!.errorCode).toBe(3)
    expect((await ask(true)).topics[0]!).toMatchObject({ errorCode: 0, name: 'fresh' })
    expect((await running.catalog.topicByName('fresh'))!.partitionCount).toBe(2)
  })

  it('refuses invalid names and does not create them', async () => {
    for (const name of ['.', '..', 'a b', 'x'.repeat(250), 'ä']) {
      const answer = await client.call('Metadata', { topics: [{ name }], allowAutoTopicCreation: true }, 9)
      expect(answer.topics[0]!.errorCode).toBe(17)
    }
  })

  it('tells all, none and by id apart', async () => {
    await createTopic(client, 'known')
    const all = await client.call('Metadata', { topics: null })
    expect(all.topics.length).toBeGreaterThan(0)
    expect((await client.call('Metadata', { topics: [] })).topics).toEqual([])
    expect((await client.call('Metadata', { topics: [] }, 0)).topics.length).toBe(all.topics.length)
    const topicId = all.topics.find(({ name }) => name === 'known')!.topicId
    const byId = await client.call('Metadata', { topics: [{ name: null, topicId }] }, 12)
    expect(byId.topics[0]).toMatchObject({ errorCode: 0, name: 'known', topicId })
    const unknownId = '11111111-2222-4333-8444-555555555555'
    const unknown = await client.call('Metadata', { topics: [{ name: null, topicId: unknownId }] }, 12)
    expect(unknown.topics[0]).toMatchObject({ errorCode: 100, name: null, topicId: unknownId })
  })

  it('names this agent as leader of everything and as controller', async () => {
    const answer = await client.call('Metadata', { topics: [{ name: 'known' }] })
    expect(answer.controllerId).toBe(answer.brokers[0]!.nodeId)
    expect(answer.topics[0]!.partitions[0]).toMatchObject({ leaderId: 0, leaderEpoch: 0, replicaNodes: [0] })
    expect(answer.topics[0]!.topicAuthorizedOperations).toBe(-2_147_483_648)
  })
})

describe('topics', () => {
  it('refuses what Kafka refuses', async () => {
    expect((await createTopic(client, 'a b')).errorCode).toBe(17)
    expect((await createTopic(client, 'zero', 0)).errorCode).toBe(37)
    expect((await createTopic(client, 'configs', 1, { nonsense: '1' })).errorCode).toBe(40)
    expect((await createTopic(client, 'configs', 1, { 'retention.ms': 'soon' })).errorCode).toBe(40)
    expect((await createTopic(client, 'configs', 1, { 'retention.ms': null })).errorCode).toBe(40)
    expect((await createTopic(client, 'configs', 1, { 'compression.type': 'gzip' })).errorCode).toBe(40)
    expect((await createTopic(client, 'twice')).errorCode).toBe(0)
    expect((await createTopic(client, 'twice')).errorCode).toBe(36)
    expect((await createTopic(client, 'default', -1)).numPartitions).toBe(2)
    expect(await running.catalog.topicByName('configs')).toBeUndefined()
  })

  it('creates nothing when only validating', async () => {
    const topic = { name: 'dry', numPartitions: 1, replicationFactor: 3, assignments: [], configs: [] }
    const answer = await client.call('CreateTopics', { topics: [topic], timeoutMs: 1, validateOnly: true })
    expect(answer.topics[0]!.errorCode).toBe(0)
    expect(await running.catalog.topicByName('dry')).toBeUndefined()
  })

  it('adds partitions but never removes any', async () => {
    await createTopic(client, 'growing', 2)
    const grow = async (count: number) => {
      const body = { topics: [{ name: 'growing', count, assignments: null }], timeoutMs: 1, validateOnly: false }
      return (await client.call('CreatePartitions', body)).results[0]!.errorCode
    }
    expect(await grow(1)).toBe(37)
    expect(await grow(2)).toBe(37)
    expect(await grow(5)).toBe(0)
    expect((await running.catalog.topicByName('growing'))!.partitionCount).toBe(5)
  })

  it('deletes by name and by id, and a recreated topic has a new id', async () => {
    const first = await createTopic(client, 'mortal')
    const remove = (topic: { name?: string; topicId?: string }) =>
      client.call('DeleteTopics', { topics: [topic], timeoutMs: 1 })
    expect((await remove({ name: 'mortal' })).responses[0]!.errorCode).toBe(0)
    expect((await remove({ name: 'mortal' })).responses[0]!.errorCode).toBe(3)
    const second = await createTopic(client, 'mortal')
    expect(second.topicId).not.toBe(first.topicId)
    expect((await remove({ topicId: first.topicId })).responses[0]!.errorCode).toBe(100)
    expect((await remove({ topicId: second.topicId })).responses[0]).toMatchObject({ errorCode: 0, name: 'mortal' })
  })

  it('describes partitions in pages', async () => {
    await createTopic(client, 'paged', 5)
    const seen: number[] = []
    let cursor: { topicName: string; partitionIndex: number } | null = null
    do {
      const answer: Awaited<ReturnType<typeof ask>> = await ask(cursor)
      for (const { partitions } of answer.topics) seen.push(...partitions.map(each => each.partitionIndex))
      cursor = answer.nextCursor ?? null
    } while (cursor !== null)
    expect(seen).toEqual([0, 1, 2, 3, 4])

    function ask(from: { topicName: string; partitionIndex: number } | null) {
      return client.call('DescribeTopicPartitions', {
        topics: [{ name: 'paged' }],
        responsePartitionLimit: 2,
        cursor: from,
      })
    }
  })
})

describe('configs', () => {
  const describeOne = async (name: string, key: string) => {
    const answer = await client.call('DescribeConfigs', {
      resources: [{ resourceType: 2, resourceName: name, configurationKeys: [key] }],
      includeSynonyms: true,
      includeDocumentation: true,
    })
    const [config] = answer.results[0]!.configs
    return config!
  }

  it('describes explicit values and defaults with source, type and synonyms', async () => {
    await createTopic(client, 'described', 1, { 'cleanup.policy': 'compact' })
    expect(await describeOne('described', 'cleanup.policy')).toMatchObject({
      value: 'compact',
      configSource: 1,
      configType: 7,
      synonyms: [
        { name: 'cleanup.policy', value: 'compact', source: 1 },
        { name: 'log.cleanup.policy', value: 'delete', source: 5 },
      ],
    })
    expect(await describeOne('described', 'retention.ms')).toMatchObject({ value: '604800000', configSource: 5 })
  })

  it('sets, deletes, appends and subtracts', async () => {
    await createTopic(client, 'altered')
    const alter = async (name: string, configOperation: number, value: string | null) => {
      const configs = [{ name, configOperation, value }]
      const resources = [{ resourceType: 2, resourceName: 'altered', configs }]
      return (await client.call('IncrementalAlterConfigs', { resources, validateOnly: false })).responses[0]!.errorCode
    }
    expect(await alter('cleanup.policy', 2, 'compact')).toBe(0)
    expect((await describeOne('altered', 'cleanup.policy')).value).toBe('delete,compact')
    expect(await alter('cleanup.policy', 3, 'delete')).toBe(0)
    expect((await describeOne('altered', 'cleanup.policy')).value).toBe('compact')
    expect(await alter('cleanup.policy', 1, null)).toBe(0)
    expect((await describeOne('altered', 'cleanup.policy')).value).toBe('delete')
    expect(await alter('retention.ms', 2, '5')).toBe(40)
    expect(await alter('nonsense', 0, '5')).toBe(40)
  })

  it('replaces everything with the old call', async () => {
    await createTopic(client, 'replaced', 1, { 'retention.ms': '5', 'segment.bytes': '1000' })
    const configs = [{ name: 'retention.ms', value: '6' }]
    await client.call('AlterConfigs', {
      resources: [{ resourceType: 2, resourceName: 'replaced', configs }],
      validateOnly: false,
    })
    expect((await running.catalog.topicByName('replaced'))!.configs).toEqual({ 'retention.ms': '6' })
  })

  it('describes the broker and refuses to change it', async () => {
    const answer = await client.call('DescribeConfigs', {
      resources: [{ resourceType: 4, resourceName: '0', configurationKeys: ['num.partitions'] }],
      includeSynonyms: false,
    })
    expect(answer.results[0]!.configs).toMatchObject([{ name: 'num.partitions', value: '2', readOnly: true }])
    const altered = await client.call('IncrementalAlterConfigs', {
      resources: [{ resourceType: 4, resourceName: '0', configs: [] }],
      validateOnly: false,
    })
    expect(altered.responses[0]!.errorCode).not.toBe(0)
  })
})

describe('groups', () => {
  const metadataOf = (topic: string) => Buffer.concat([Uint8Array.of(0, 0, 0, 0, 0, 1, 0, topic.length), encode(topic)])
  const join = (groupId: string, memberId = '', version = 9, metadata = metadataOf('known')) =>
    client.call(
      'JoinGroup',
      {
        groupId,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata }],
      },
      version,
    )
  const commit = async (
    groupId: string,
    changes: {
      generationId?: number
      memberId?: string
      metadata?: string
      topic?: string
      version?: number
      partitionIndex?: number
      committedOffset?: bigint
    } = {},
  ) => {
    const { generationId = -1, memberId = '', metadata = '', topic = 'known', version = 9 } = changes
    const { partitionIndex = 0, committedOffset = 7n } = changes
    const answer = await client.call(
      'OffsetCommit',
      {
        groupId,
        generationIdOrMemberEpoch: generationId,
        memberId,
        topics: [{ name: topic, partitions: [{ partitionIndex, committedOffset, committedMetadata: metadata }] }],
      },
      version,
    )
    return answer.topics[0]!.partitions[0]!.errorCode
  }
  const fetchOffset = async (groupId: string) => {
    const body = { groups: [{ groupId, memberId: null, topics: [{ name: 'known', partitionIndexes: [0] }] }] }
    const answer = await client.call('OffsetFetch', { ...body, groupId: '', topics: [], requireStable: true })
    const { errorCode, committedOffset } = answer.groups[0]!.topics[0]!.partitions[0]!
    return [answer.groups[0]!.errorCode, errorCode, committedOffset]
  }

  it('answers offset -1 without an error for a group that does not exist', async () => {
    expect(await fetchOffset('nobody')).toEqual([0, 0, -1n])
    const old = await client.call(
      'OffsetFetch',
      { groupId: 'nobody', topics: [{ name: 'known', partitionIndexes: [0] }], groups: [], requireStable: false },
      1,
    )
    expect(old.topics[0]!.partitions[0]).toMatchObject({ committedOffset: -1n, errorCode: 0 })
  })

  it('keeps commits from outside a group', async () => {
    expect(await commit('outside')).toBe(0)
    expect(await fetchOffset('outside')).toEqual([0, 0, 7n])
    const all = await client.call(
      'OffsetFetch',
      { groupId: 'outside', topics: null, groups: [], requireStable: false },
      5,
    )
    expect(all.topics).toHaveLength(1)
  })

  it('refuses commits with a generation to unknown groups, by version', async () => {
    expect(await commit('unheard', { generationId: 3, memberId: 'm' })).toBe(kafkaErrorCode.GROUP_ID_NOT_FOUND)
    expect(await commit('unheard', { generationId: 3, memberId: 'm', version: 8 })).toBe(
      kafkaErrorCode.ILLEGAL_GENERATION,
    )
  })

  it('refuses metadata that is too large and topics that do not exist', async () => {
    expect(await commit('large', { metadata: 'x'.repeat(4_097) })).toBe(12)
    expect(await commit('large', { metadata: 'x'.repeat(4_096) })).toBe(0)
    expect(await commit('large', { topic: 'nowhere' })).toBe(3)
    expect(await commit('large', { partitionIndex: -1 })).toBe(3)
  })

  it('keeps the largest offset that there may be, and refuses one beyond it without ending the connection', async () => {
    expect(await commit('far', { committedOffset: 2n ** 53n })).toBe(kafkaErrorCode.INVALID_COMMIT_OFFSET_SIZE)
    expect(await commit('far', { committedOffset: -(2n ** 63n) })).toBe(kafkaErrorCode.INVALID_COMMIT_OFFSET_SIZE)
    expect(await commit('far', { committedOffset: 2n ** 53n - 1n })).toBe(0)
    expect(await fetchOffset('far')).toEqual([0, 0, 2n ** 53n - 1n])
  })

  it('takes a group through its life', async () => {
    const first = await join('life')
    expect(first.errorCode).toBe(kafkaErrorCode.MEMBER_ID_REQUIRED)
    expect(first.memberId).toMatch(/^test-/)
    const joined = await join('life', first.memberId)
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1, leader: first.memberId })
    const { memberId, generationId } = joined
    const synced = await client.call('SyncGroup', {
      groupId: 'life',
      generationId,
      memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId, assignment: encode('mine') }],
    })
    expect(Buffer.from(synced.assignment).toString()).toBe('mine')
    expect((await client.call('Heartbeat', { groupId: 'life', generationId, memberId })).errorCode).toBe(0)
    expect(await commit('life', { generationId, memberId })).toBe(0)
    expect(await commit('life')).toBe(kafkaErrorCode.UNKNOWN_MEMBER_ID)
    const described = await client.call('DescribeGroups', { groups: ['life', 'ghost'] })
    expect(described.groups.map(({ errorCode, groupState }) => [errorCode, groupState])).toEqual([
      [0, 'Stable'],
      [69, 'Dead'],
    ])
    expect(described.groups[0]!.members[0]).toMatchObject({ memberId, clientId: 'test', clientHost: '/10.0.0.1' })
    const listed = await client.call('ListGroups', { statesFilter: ['stable'], typesFilter: [] })
    expect(listed.groups).toMatchObject([{ groupId: 'life', groupState: 'Stable', protocolType: 'consumer' }])
    const offsetDelete = await client.call('OffsetDelete', {
      groupId: 'life',
      topics: [{ name: 'known', partitions: [{ partitionIndex: 0 }] }],
    })
    expect(offsetDelete.topics[0]!.partitions[0]!.errorCode).toBe(kafkaErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
    const remove = () => client.call('DeleteGroups', { groupsNames: ['life'] })
    expect((await remove()).results[0]!.errorCode).toBe(kafkaErrorCode.NON_EMPTY_GROUP)
    const left = await client.call('LeaveGroup', { groupId: 'life', members: [{ memberId }, { memberId: 'ghost' }] })
    expect(left.members.map(({ errorCode }) => errorCode)).toEqual([0, 25])
    expect(await commit('life', { generationId, memberId })).toBe(kafkaErrorCode.UNKNOWN_MEMBER_ID)
    expect((await remove()).results[0]!.errorCode).toBe(0)
    expect((await remove()).results[0]!.errorCode).toBe(kafkaErrorCode.GROUP_ID_NOT_FOUND)
    expect(await fetchOffset('life')).toEqual([0, 0, -1n])
  })

  it('keeps the offsets of every topic while a member of the group says nothing readable of its topics', async () => {
    expect(await commit('vague')).toBe(0)
    const { memberId } = await join('vague', '', 3, Buffer.of(0))
    const deleteOffset = async () => {
      const topics = [{ name: 'known', partitions: [{ partitionIndex: 0 }] }]
      const answer = await client.call('OffsetDelete', { groupId: 'vague', topics })
      return answer.topics[0]!.partitions[0]!.errorCode
    }
    expect(await deleteOffset()).toBe(kafkaErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
    await client.call('LeaveGroup', { groupId: 'vague', members: [{ memberId }] })
    expect(await deleteOffset()).toBe(0)
    expect(await fetchOffset('vague')).toEqual([0, 0, -1n])
  })

  it('refuses session timeouts outside the range and empty group ids', async () => {
    const ask = (groupId: string, sessionTimeoutMs: number) =>
      client.call('JoinGroup', {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs: 1,
        memberId: '',
        protocolType: 'consumer',
        protocols: [],
      })
    expect((await ask('g', 5_999)).errorCode).toBe(26)
    expect((await ask('g', 1_800_001)).errorCode).toBe(26)
    expect((await ask('', 10_000)).errorCode).toBe(24)
    expect((await join('unknown', 'made-up')).errorCode).toBe(25)
  })

  it('names this agent as coordinator of groups and refuses transactions', async () => {
    const found = await client.call('FindCoordinator', { keyType: 0, coordinatorKeys: ['a', 'b'] })
    expect(found.coordinators.map(({ key, errorCode }) => [key, errorCode])).toEqual([
      ['a', 0],
      ['b', 0],
    ])
    expect((await client.call('FindCoordinator', { key: 'a' }, 0)).errorCode).toBe(0)
    const transaction = await client.call('FindCoordinator', { keyType: 1, coordinatorKeys: ['tx'] })
    expect(transaction.coordinators[0]!.errorCode).not.toBe(0)
  })
})

describe('retention', () => {
  const options = { ...brokerOptionDefaults, garbageDelayMs: 1_000, offsetsRetentionMs: 3_600_000 }

  function makeRetention(clock: Clock, log: Log, metrics: BrokerMetrics, membership: Membership): Retention {
    const { catalog, store } = running
    const cluster = new ClusterView(catalog, membership)
    const groups = new GroupCoordinator({ catalog, cluster, clock, random: systemRandom, options, metrics, log })
    const { offsetsRetentionMs } = options
    const groupExpiry = new GroupExpiry({ catalog, groups, cluster, clock, log, offsetsRetentionMs })
    return new Retention({ catalog, store, clock, log, options, metrics, cluster, groupExpiry })
  }

  it('ends no round because it cannot ask who is to do it, and says so', async () => {
    const nodes = () => Promise.reject(new FloeError('unavailable', 'catalog-closed', 'the catalog was closed'))
    const [node] = await running.catalog.nodes()
    const log = collectLog()
    const membership = new Membership({ nodes }, { node: node! })
    await makeRetention(systemClock, log, new BrokerMetrics(), membership).runOnce()
    expect(log.complaints).toEqual(
      ['expiry of group offsets', 'retention', 'removal of unused segments'].map(
        what => `${what} failed and is tried again next time reason=the catalog was closed`,
      ),
    )
  })

  it('lets go of old runs, collects their objects after the delay, and forgets unused groups', async () => {
    let shiftMs = 0
    const clock = { ...systemClock, nowMs: () => Date.now() + shiftMs }
    const { catalog, store } = running
    await createTopic(client, 'aging', 1, { 'retention.ms': '60000' })
    await createTopic(client, 'kept', 1, { 'retention.ms': '-1' })
    await createTopic(client, 'sized', 1, { 'retention.ms': '-1', 'retention.bytes': '150' })
    const firstMs = Date.now()
    for (const topic of ['aging', 'kept'])
      await produce(client, topic, makeBatch(['old'], { firstMs: firstMs - 90_000 }))
    await produce(client, 'aging', makeBatch(['new']))
    for (let count = 0; count < 4; count++) await produce(client, 'sized', makeBatch(['x'.repeat(40)]))
    const metrics = new BrokerMetrics()
    const [node] = await catalog.nodes()
    const retention = makeRetention(clock, silentLog, metrics, new Membership(catalog, { node: node! }))
    const claim = await catalog.claimGroup('forgotten', node!.instanceId)
    const committed = { topic: 'kept', partition: 0, offset: 1n, leaderEpoch: 0, metadata: '', committedMs: firstMs }
    await catalog.commitGroupOffsets('forgotten', [committed], 'epoch' in claim ? claim.epoch : 0)

    const before = (await store.list('segments/')).objects.length
    await retention.runOnce()
    expect(await fetchOne(client, 'aging', 1n)).toMatchObject({ errorCode: 0, logStartOffset: 1n, highWatermark: 2n })
    expect(await fetchOne(client, 'kept', 0n)).toMatchObject({ errorCode: 0, logStartOffset: 0n })
    expect(await fetchOne(client, 'sized', 4n)).toMatchObject({ logStartOffset: 2n, highWatermark: 4n })
    expect(metrics.objectsDeleted).toBe(0)
    expect(await catalog.groupOffsets('forgotten')).toHaveLength(1)
    const position = metrics.logStartsAdvanced
    await retention.runOnce()
    expect(metrics.logStartsAdvanced).toBe(position)

    shiftMs = 3_700_000
    await retention.runOnce()
    expect(metrics.objectsDeleted).toBeGreaterThanOrEqual(4)
    expect((await store.list('segments/')).objects.length).toBeLessThanOrEqual(before - 4)
    expect(await catalog.groupOffsets('forgotten')).toHaveLength(0)
    expect((await fetchOne(client, 'kept', 0n)).records!.length).toBeGreaterThan(0)
  })
})
