/** Several processes on one store: who leads, what followers see, and what becomes of commands when the leader changes. */
import { describe, expect, test } from 'vitest'
import { openCatalog } from '../../../catalog/open-catalog.ts'
import { systemClock } from '../../../core/clock.ts'
import { systemRandom } from '../../../core/random.ts'
import { collectLog } from '../../support/collect-log.ts'
import { waitFor } from '../../support/wait-for.ts'
import { type Member, newCluster, quick } from './cluster-fixture.ts'

async function topicNames({ catalog }: Member): Promise<string[]> {
  return (await catalog.client.topics()).map(({ name }) => name).sort()
}

describe('processes on one store', () => {
  test('that open at once end with one leader, and all hold the same state', async () => {
    const cluster = newCluster()
    const members = await Promise.all(['a', 'b', 'c'].map(host => cluster.add(host)))
    expect(members.filter(({ catalog }) => catalog.status().role === 'leading')).toHaveLength(1)
    await Promise.all(members.map(({ host, catalog }) => catalog.client.createTopic(`topic-${host}`, 1, {})))
    await Promise.all(members.map(({ catalog }) => catalog.client.readBarrier()))
    for (const member of members) expect(await topicNames(member)).toEqual(['topic-a', 'topic-b', 'topic-c'])
    expect(new Set(members.map(({ catalog }) => catalog.state.hash())).size).toBe(1)
  })

  test('a follower finds in its next query what it was just answered', async () => {
    const cluster = newCluster()
    await cluster.add('leader')
    const follower = await cluster.add('follower', { mayLead: false })
    expect(follower.catalog.status().role).toBe('following')
    for (let index = 0; index < 50; index++) {
      const created = await follower.catalog.client.createTopic(`topic-${index}`, 1, {})
      expect(created.outcome).toBe('created')
      expect(await follower.catalog.client.topicByName(`topic-${index}`)).toEqual(created.topic)
    }
  })

  test('a barrier shows what another process was answered before it', async () => {
    const cluster = newCluster()
    const leader = await cluster.add('leader')
    const follower = await cluster.add('follower')
    for (let index = 0; index < 50; index++) {
      await leader.catalog.client.createTopic(`topic-${index}`, 1, {})
      await follower.catalog.client.readBarrier()
      expect(await follower.catalog.client.topicByName(`topic-${index}`)).toBeDefined()
    }
  })

  test('a follower that comes late, or was cut off while snapshots were taken, catches up', async () => {
    const cluster = newCluster()
    const leader = await cluster.add('leader')
    const early = await cluster.add('early', { mayLead: false })
    early.pause()
    for (let round = 0; round < 4; round++) {
      for (let index = 0; index < 5; index++) await leader.catalog.client.createTopic(`topic-${round}-${index}`, 1, {})
      await leader.catalog.takeSnapshot()
    }
    const late = await cluster.add('late', { mayLead: false })
    early.resume()
    await leader.catalog.client.createTopic('last', 1, {})
    for (const member of [early, late]) {
      await member.catalog.client.readBarrier()
      expect(member.catalog.state.hash()).toBe(leader.catalog.state.hash())
    }
  })

  test('a stranger is refused, and told so in plain words', async () => {
    const cluster = newCluster()
    const leader = await cluster.add('leader')
    const log = collectLog()
    let isOpen = false
    const stranger = openCatalog({
      store: cluster.store,
      clock: systemClock,
      random: systemRandom,
      log,
      options: quick,
      peers: {
        network: cluster.network.from('stranger'),
        address: 'stranger',
        secret: Buffer.from('another secret'),
        mayLead: false,
      },
    }).then(catalog => {
      isOpen = true
      return catalog
    })
    await waitFor(() => log.complaints.length > 0)
    expect(log.complaints[0]).toBe(
      'leader does not know the secret of this cluster: check cluster.secret_env on both code=peer-unproven leader=leader',
    )
    expect(isOpen).toBe(false)
    expect(leader.catalog.status().followerCount).toBe(0)
    // It opens once somebody who knows its secret leads.
    await leader.catalog.close()
    const other = await cluster.add('other', { secret: Buffer.from('another secret') })
    await waitFor(() => isOpen)
    expect(other.catalog.status().followerCount).toBe(1)
    await (await stranger).close()
  })
})

describe('when the leader', () => {
  /** Creates topics through every member, one after the other, until told to stop; returns the names that were answered. */
  function keepCreating(members: readonly Member[]): () => Promise<string[]> {
    const answered: string[] = []
    let isOver = false
    const create = async ({ host, catalog }: Member): Promise<void> => {
      for (let index = 0; !isOver; index++) {
        const name = `${host}-${index}`
        const { outcome } = await catalog.client.createTopic(name, 1, {})
        // A retried command is answered as the first time: never "exists".
        expect(outcome).toBe('created')
        answered.push(name)
        await systemClock.yield()
      }
    }
    const running = members.map(create)
    return async () => {
      isOver = true
      await Promise.all(running)
      return answered.sort()
    }
  }

  test('is killed, another one leads, and every command of the others is applied once', async () => {
    const cluster = newCluster()
    const first = await cluster.add('first')
    const others = [
      await cluster.add('second'),
      await cluster.add('third'),
      await cluster.add('agent', { mayLead: false }),
    ]
    const stop = keepCreating(others)
    await waitFor(async () => (await topicNames(others[0]!)).length > 30)
    first.kill()
    const next = await cluster.waitForLeader(others)
    const before = (await topicNames(next)).length
    await waitFor(async () => (await topicNames(next)).length > before + 30)
    const answered = await stop()
    for (const other of others) {
      await other.catalog.client.readBarrier()
      expect(await topicNames(other)).toEqual(answered)
    }
    cluster.members.splice(cluster.members.indexOf(first), 1)
  })

  test('is paused, another one leads; the old one is fenced when it wakes, and follows', async () => {
    const cluster = newCluster()
    const members = [await cluster.add('first'), await cluster.add('second'), await cluster.add('third')]
    const stop = keepCreating(members)
    await waitFor(async () => (await topicNames(members[0]!)).length > 30)
    const first = cluster.leader()!
    first.pause()
    const others = members.filter(member => member !== first)
    const next = await cluster.waitForLeader(others)
    const before = (await topicNames(next)).length
    await waitFor(async () => (await topicNames(next)).length > before + 30)
    first.resume()
    await waitFor(() => first.catalog.status().role === 'following')
    const answered = await stop()
    for (const member of members) {
      await member.catalog.client.readBarrier()
      expect(await topicNames(member)).toEqual(answered)
    }
    expect(new Set(members.map(({ catalog }) => catalog.state.hash())).size).toBe(1)
  })

  test('is closed, another one leads at once', async () => {
    const cluster = newCluster()
    const first = await cluster.add('first', { options: { leaderTimeoutMs: 60_000 } })
    const second = await cluster.add('second', { options: { leaderTimeoutMs: 60_000 } })
    await first.catalog.close()
    await cluster.waitForLeader([second])
    await second.catalog.client.createTopic('after', 1, {})
  })

  test.each([
    ['another one', 'second'],
    ['the same one again', 'first'],
  ])(
    'was replaced by %s while a follower slept through a trim, cut off: it starts from a snapshot and follows',
    async (_, next) => {
      const cluster = newCluster()
      const first = await cluster.add('first')
      const agent = await cluster.add('agent', { mayLead: false })
      agent.pause()
      // More than a reader looks ahead, all of it in the epoch that the agent is in.
      for (let index = 0; index < 20; index++) await first.catalog.client.createTopic(`before-${index}`, 1, {})
      cluster.network.tear('agent')
      first.kill()
      cluster.members.splice(cluster.members.indexOf(first), 1)
      const leader = await cluster.add(next)
      for (let index = 0; index < 2; index++) {
        await leader.catalog.client.createTopic(`after-${index}`, 1, {})
        await leader.catalog.takeSnapshot()
      }
      agent.resume()
      await waitFor(() => agent.catalog.status().role === 'following')
      await agent.catalog.client.readBarrier()
      expect(await topicNames(agent)).toEqual(await topicNames(leader))
    },
  )

  test('was fenced without noticing, a barrier does not answer from its old state', async () => {
    const cluster = newCluster()
    const first = await cluster.add('first')
    const second = await cluster.add('second')
    // Only the network is cut: the store still answers the old leader.
    cluster.network.setSilent('first', true)
    await cluster.waitForLeader([second])
    await second.catalog.client.createTopic('new', 1, {})
    const barrier = first.catalog.client.readBarrier()
    cluster.network.setSilent('first', false)
    await barrier
    expect(await topicNames(first)).toEqual(['new'])
  })

  test('was fenced behind an entry of its own that was trimmed since, a barrier does not answer from its old state', async () => {
    const cluster = newCluster()
    const first = await cluster.add('first')
    const second = await cluster.add('second')
    const put = cluster.store.putIfAbsent.bind(cluster.store)
    const landed = Promise.withResolvers<void>()
    // Its entry is stored, and it sleeps before it is told.
    cluster.store.putIfAbsent = async (key, body) => {
      const outcome = await put(key, body)
      cluster.store.putIfAbsent = put
      first.pause()
      landed.resolve()
      return outcome
    }
    const creating = first.catalog.client.createTopic('last of the first', 1, {})
    await landed.promise
    await cluster.waitForLeader([second])
    for (const name of ['a', 'b']) {
      await second.catalog.client.createTopic(name, 1, {})
      await second.catalog.takeSnapshot()
    }
    const barrier = first.catalog.client.readBarrier()
    first.resume()
    await barrier
    expect(await topicNames(first)).toEqual(['a', 'b', 'last of the first'])
    await creating
  })
})
