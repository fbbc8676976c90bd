/** Two agents of one cluster: what a client is told by one of what the other one knows, and who coordinates a group. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Broker, createBroker } from '../../../broker/broker.ts'
import { Membership } from '../../../catalog/node/membership.ts'
import type { NodeRegistration } from '../../../catalog/node/node-registration.ts'
import { type Catalog, openCatalog } from '../../../catalog/open-catalog.ts'
import { systemClock } from '../../../core/clock.ts'
import { silentLog } from '../../../core/log.ts'
import { systemRandom } from '../../../core/random.ts'
import { kafkaErrorCode } from '../../../kafka/errors.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import { RangeCache } from '../../../storage/range-cache.ts'
import { createCopyingPair } from '../../support/copying-pair.ts'
import { TestClient } from '../../support/in-memory-broker.ts'
import { MemoryNetwork } from '../../support/memory-network.ts'
import { registerBroker } from '../../support/register-broker.ts'
import { waitFor } from '../../support/wait-for.ts'
import { createTopic, fetchOne, makeBatch, produce } from './harness.ts'

interface Agent {
  readonly catalog: Catalog
  readonly registration: NodeRegistration
  readonly broker: Broker
  readonly client: TestClient
}

const agents: Agent[] = []
let network = new MemoryNetwork()
let store = new MemoryStore(systemClock)

async function openAgent(host: string): Promise<Agent> {
  const parts = { clock: systemClock, random: systemRandom, log: silentLog }
  let catalog: Catalog | undefined
  network.listen(host, connection => void catalog?.accept(connection))
  catalog = await openCatalog({
    store,
    ...parts,
    options: { leaderTimeoutMs: 60_000, nodeTimeoutMs: 60_000, seekIntervalMs: 20 },
    peers: { network: network.from(host), address: host, secret: Buffer.from('secret of this test'), mayLead: true },
  })
  const registration = await registerBroker(catalog, host, 9092)
  const broker = createBroker({
    catalog: catalog.client,
    membership: new Membership(catalog.client, registration),
    store,
    cache: new RangeCache(store, { bytesMax: 1_000_000 }),
    ...parts,
    options: { flushIntervalMs: 5, groupInitialRebalanceDelayMs: 0, drainMsMax: 500 },
  })
  const [near, far] = createCopyingPair()
  broker.serveConnection(far, { clientHost: '10.0.0.1' })
  const agent = { catalog, registration, broker, client: new TestClient(near) }
  agents.push(agent)
  return agent
}

async function openTwo(): Promise<[Agent, Agent]> {
  network = new MemoryNetwork()
  store = new MemoryStore(systemClock)
  const leader = await openAgent('one')
  const follower = await openAgent('two')
  await leader.catalog.client.readBarrier()
  return [leader, follower]
}

afterEach(async () => {
  network.setSilent('two', false)
  for (const { broker, registration, catalog } of agents.splice(0).reverse()) {
    await broker.close()
    await registration.close(false)
    await catalog.close()
  }
})

describe('two agents', () => {
  it('name both of them, and the same leaders for all partitions', async () => {
    const [one, two] = await openTwo()
    await createTopic(one.client, 'spread', 40)
    const answers = await Promise.all(
      [one, two].map(({ client }) => client.call('Metadata', { topics: [{ name: 'spread' }] })),
    )
    const [first, second] = answers.map(({ brokers, topics }) => ({ brokers, topics }))
    expect(second).toEqual(first)
    expect(first!.brokers.map(({ nodeId, host }) => [nodeId, host])).toEqual([
      [0, 'one'],
      [1, 'two'],
    ])
    const leaders = new Set(first!.topics[0]!.partitions.map(({ leaderId }) => leaderId))
    expect([...leaders].sort()).toEqual([0, 1])
    expect(answers.map(({ controllerId }) => controllerId)).toEqual([0, 1])
  })

  it('know a topic that was created through the other one a moment ago', async () => {
    const [one, two] = await openTwo()
    for (let index = 0; index < 20; index++) {
      await createTopic(one.client, `fresh-${index}`)
      expect((await produce(two.client, `fresh-${index}`, makeBatch(['a']))).errorCode).toBe(0)
    }
  })

  it('never call an offset out of range that the other one has handed out', async () => {
    const [one, two] = await openTwo()
    await createTopic(one.client, 'log')
    expect((await produce(two.client, 'log', makeBatch(['a']))).errorCode).toBe(0)
    network.setSilent('two', true)
    expect((await produce(one.client, 'log', makeBatch(['b', 'c']))).errorCode).toBe(0)
    // What two knows ends at offset 1.
    const fetching = fetchOne(two.client, 'log', 2n)
    network.setSilent('two', false)
    expect(await fetching).toMatchObject({ errorCode: 0, highWatermark: 3n })
    expect((await fetchOne(two.client, 'log', 4n)).errorCode).toBe(kafkaErrorCode.OFFSET_OUT_OF_RANGE)
  })
})

describe('a group', () => {
  const member = { groupInstanceId: null, memberId: '' }
  const join = (client: TestClient, groupId: string) =>
    client.call(
      'JoinGroup',
      {
        ...member,
        groupId,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 10_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.from('m') }],
        reason: null,
      },
      3,
    )
  const commit = (client: TestClient, groupId: string, memberId: string, generationId: number, offset: bigint) =>
    client.call(
      'OffsetCommit',
      {
        groupId,
        generationIdOrMemberEpoch: generationId,
        memberId,
        groupInstanceId: null,
        topics: [{ name: 'log', partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }] }],
      },
      8,
    )
  const errorOf = ({ topics }: Awaited<ReturnType<typeof commit>>): number => topics[0]!.partitions[0]!.errorCode
  const offsetOf = async ({ client }: Agent, groupId: string): Promise<bigint> => {
    const topics = [{ name: 'log', partitionIndexes: [0] }]
    const answer = await client.call(
      'OffsetFetch',
      { groups: [{ groupId, memberId: null, memberEpoch: -1, topics }], requireStable: false },
      8,
    )
    return answer.groups[0]!.topics[0]!.partitions[0]!.committedOffset
  }

  it('has one coordinator, which both agents name', async () => {
    const [one, two] = await openTwo()
    const joined = await join(one.client, 'readers')
    expect(joined.errorCode).toBe(0)
    expect((await join(two.client, 'readers')).errorCode).toBe(kafkaErrorCode.NOT_COORDINATOR)
    for (const { client } of [one, two]) {
      const found = await client.call('FindCoordinator', { keyType: 0, coordinatorKeys: ['readers'] })
      expect(found.coordinators[0]).toMatchObject({ errorCode: 0, nodeId: 0, host: 'one' })
    }
  })

  it('that moved takes no commits from the coordinator before, and offsets are seen everywhere at once', async () => {
    const [one, two] = await openTwo()
    await createTopic(one.client, 'log')
    const { memberId, generationId } = await join(one.client, 'readers')
    await one.client.call(
      'SyncGroup',
      { groupId: 'readers', generationId, memberId, groupInstanceId: null, assignments: [] },
      3,
    )
    expect(errorOf(await commit(one.client, 'readers', memberId, generationId, 7n))).toBe(0)
    expect(await offsetOf(two, 'readers')).toBe(7n)
    // The leader of the catalog takes the coordinator for dead.
    const { nodeId, instanceId } = one.registration.node
    await two.catalog.client.removeNode(nodeId, instanceId)
    expect((await join(two.client, 'readers')).errorCode).toBe(0)
    expect(errorOf(await commit(one.client, 'readers', memberId, generationId, 9n))).toBe(
      kafkaErrorCode.NOT_COORDINATOR,
    )
    expect(await offsetOf(one, 'readers')).toBe(7n)
    // It was alive after all, and registers again under the same id.
    await waitFor(async () => (await two.catalog.client.nodes()).length === 2)
    expect(one.registration.node.nodeId).toBe(nodeId)
  })
})
