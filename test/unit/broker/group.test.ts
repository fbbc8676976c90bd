/** The classic group state machine, row by row as Kafka answers. Time is a number; answers are collected as they come. */
import { describe, expect, it } from 'vitest'
import { Group } from '../../../broker/groups/group.ts'
import type { JoinAnswer, JoinRequest, SyncAnswer } from '../../../broker/groups/types.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array): string => new TextDecoder().decode(value)

const limits = { initialRebalanceDelayMs: 0, sizeMax: 3, newMemberJoinMsMax: 300_000 }

function joinRequest(changes: Partial<JoinRequest> = {}): JoinRequest {
  return {
    groupId: 'g',
    memberId: '',
    groupInstanceId: undefined,
    clientId: 'client',
    clientHost: '/127.0.0.1',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: bytes('m') }],
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    requiresKnownMemberId: false,
    supportsSkippingAssignment: false,
    ...changes,
  }
}

interface Pending<T> {
  answer: T | undefined
  count: number
}

class Driver {
  readonly group: Group
  nowMs = 1_000
  #ids = 0

  constructor(changes: Partial<typeof limits> = {}) {
    this.group = new Group('g', { ...limits, ...changes }, this.nowMs)
  }

  join(changes: Partial<JoinRequest> = {}, newMemberId = `m${++this.#ids}`): Pending<JoinAnswer> {
    const pending: Pending<JoinAnswer> = { answer: undefined, count: 0 }
    this.group.join(joinRequest(changes), newMemberId, this.nowMs, answer => {
      pending.answer = answer
      pending.count++
    })
    return pending
  }

  sync(
    memberId: string,
    changes: { generationId?: number; assignments?: Record<string, string>; instance?: string } = {},
  ) {
    const pending: Pending<SyncAnswer> = { answer: undefined, count: 0 }
    this.group.sync(
      {
        groupId: 'g',
        memberId,
        groupInstanceId: changes.instance,
        generationId: changes.generationId ?? this.group.generationId,
        protocolType: undefined,
        protocolName: undefined,
        assignments: Object.entries(changes.assignments ?? {}).map(([id, assignment]) => ({
          memberId: id,
          assignment: bytes(assignment),
        })),
      },
      this.nowMs,
      answer => {
        pending.answer = answer
        pending.count++
      },
    )
    return pending
  }

  heartbeat(memberId: string, generationId = this.group.generationId) {
    return this.group.heartbeat({ memberId, groupInstanceId: undefined }, generationId, this.nowMs)
  }

  leave(memberId: string) {
    return this.group.leave({ memberId, groupInstanceId: undefined }, this.nowMs)
  }

  /** Moves time on, ticking at every deadline on the way. */
  advance(ms: number): void {
    const end = this.nowMs + ms
    for (;;) {
      const next = this.group.nextDeadlineMs()
      if (next > end) break
      this.nowMs = Math.max(this.nowMs, next)
      this.group.tick(this.nowMs)
    }
    this.nowMs = end
  }

  /** Two members, Stable, m1 leads. */
  makeStable(): void {
    this.join()
    this.join()
    this.join({ memberId: 'm1' })
    this.sync('m1', { assignments: { m1: 'a1', m2: 'a2' } })
    this.sync('m2')
    expect(this.group.state).toBe('Stable')
  }
}

describe('joining', () => {
  it('gives a v4 dynamic member an id first and lets the pending id block the join phase until it expires', () => {
    const driver = new Driver()
    const first = driver.join({ requiresKnownMemberId: true })
    expect(first.answer).toMatchObject({ error: 'MEMBER_ID_REQUIRED', memberId: 'm1', generationId: -1 })
    driver.join({ requiresKnownMemberId: true })
    const joined = driver.join({ memberId: 'm1', requiresKnownMemberId: true })
    expect(joined.answer).toBeUndefined()
    driver.advance(9_999)
    expect(joined.answer).toBeUndefined()
    driver.advance(1)
    expect(joined.answer).toMatchObject({ error: 'NONE', memberId: 'm1', generationId: 1, leader: 'm1' })
  })

  it('adds a member without id at once in old versions', () => {
    const driver = new Driver()
    expect(driver.join().answer).toMatchObject({ error: 'NONE', generationId: 1, leader: 'm1', protocolName: 'range' })
    expect(driver.group.state).toBe('CompletingRebalance')
  })

  it('refuses an unknown member id', () => {
    const driver = new Driver()
    driver.makeStable()
    expect(driver.join({ memberId: 'nobody' }).answer).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  })

  it('refuses another protocol type and a member without a common protocol', () => {
    const driver = new Driver()
    driver.makeStable()
    expect(driver.join({ protocolType: 'connect' }).answer?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(driver.join({ protocols: [{ name: 'sticky', metadata: bytes('') }] }).answer?.error).toBe(
      'INCONSISTENT_GROUP_PROTOCOL',
    )
    expect(driver.join({ protocols: [] }).answer?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(driver.group.state).toBe('Stable')
  })

  it('refuses a member above the largest size, but counts only who awaits the join during a rebalance', () => {
    const driver = new Driver({ sizeMax: 2 })
    driver.makeStable()
    expect(driver.join().answer?.error).toBe('GROUP_MAX_SIZE_REACHED')
    driver.join({ memberId: 'm1' })
    expect(driver.group.state).toBe('PreparingRebalance')
    const newcomer = driver.join({}, 'm9')
    expect(newcomer.answer).toBeUndefined()
    expect(driver.join({ memberId: 'm2' }).answer?.error).toBe('GROUP_MAX_SIZE_REACHED')
  })

  it('tells only the leader who the members are and picks the protocol most vote for', () => {
    const driver = new Driver()
    const both = (first: string, second: string) => [
      { name: first, metadata: bytes(`${first}!`) },
      { name: second, metadata: bytes(`${second}!`) },
    ]
    driver.join({ protocols: both('range', 'sticky') })
    const second = driver.join({ protocols: both('sticky', 'range') })
    const third = driver.join({ protocols: both('sticky', 'range') })
    const first = driver.join({ memberId: 'm1', protocols: both('range', 'sticky') })
    expect(first.answer).toMatchObject({ error: 'NONE', generationId: 2, protocolName: 'sticky', leader: 'm1' })
    expect(first.answer?.members.map(member => [member.memberId, text(member.metadata)])).toEqual([
      ['m1', 'sticky!'],
      ['m2', 'sticky!'],
      ['m3', 'sticky!'],
    ])
    expect(second.answer?.members).toEqual([])
    expect(third.answer?.members).toEqual([])
  })

  it('drops dynamic members that do not rejoin within the largest rebalance timeout', () => {
    const driver = new Driver()
    driver.makeStable()
    driver.advance(5_000)
    expect(driver.heartbeat('m2')).toBe('NONE')
    const leader = driver.join({ memberId: 'm1' })
    expect(driver.heartbeat('m2')).toBe('REBALANCE_IN_PROGRESS')
    for (let beat = 0; beat < 11; beat++) {
      driver.advance(5_000)
      driver.heartbeat('m2')
      expect(leader.answer).toBeUndefined()
    }
    driver.advance(5_000)
    expect(leader.answer).toMatchObject({ error: 'NONE', generationId: 3 })
    expect(leader.answer?.members.map(member => member.memberId)).toEqual(['m1'])
  })

  it('waits again without a new generation when nobody rejoined by the deadline', () => {
    const driver = new Driver()
    const instance = { groupInstanceId: 's', sessionTimeoutMs: 200_000 }
    driver.join(instance)
    driver.sync('m1', { instance: 's', assignments: { m1: 'a' } })
    driver.join({}, 'm2')
    driver.leave('m2')
    expect(driver.group.state).toBe('PreparingRebalance')
    const generation = driver.group.generationId
    driver.advance(60_000)
    expect(driver.group.state).toBe('PreparingRebalance')
    expect(driver.group.generationId).toBe(generation)
    expect(driver.group.memberCount).toBe(1)
  })

  it('waits the initial delay for more members and longer while they arrive, up to the rebalance timeout', () => {
    const driver = new Driver({ initialRebalanceDelayMs: 3_000 })
    const first = driver.join({ rebalanceTimeoutMs: 7_000 })
    driver.advance(2_000)
    const second = driver.join({ rebalanceTimeoutMs: 7_000 })
    driver.advance(1_000)
    expect(first.answer).toBeUndefined()
    driver.advance(2_000)
    const third = driver.join({ rebalanceTimeoutMs: 7_000 })
    driver.advance(1_000)
    expect(first.answer).toBeUndefined()
    driver.advance(1_000)
    for (const joined of [first, second, third]) expect(joined.answer).toMatchObject({ error: 'NONE', generationId: 1 })
    expect(driver.nowMs).toBe(8_000)
  })

  it('rebalances whenever the leader rejoins a stable group', () => {
    const driver = new Driver()
    driver.makeStable()
    expect(driver.join({ memberId: 'm1' }).answer).toBeUndefined()
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('answers a follower that rejoins a stable group unchanged with the current generation', () => {
    const driver = new Driver()
    driver.makeStable()
    expect(driver.join({ memberId: 'm2' }).answer).toMatchObject({ error: 'NONE', generationId: 2, leader: 'm1' })
    expect(driver.group.state).toBe('Stable')
    driver.join({ memberId: 'm2', protocols: [{ name: 'range', metadata: bytes('other') }] })
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('repeats the answer when a member rejoins unchanged while the assignment is awaited', () => {
    const driver = new Driver()
    driver.join()
    const again = driver.join({ memberId: 'm1' })
    expect(again.answer).toMatchObject({ error: 'NONE', generationId: 1 })
    expect(again.answer?.members).toHaveLength(1)
    expect(driver.group.state).toBe('CompletingRebalance')
  })

  it('answers a repeated join once, and the join it replaces too', () => {
    const driver = new Driver()
    driver.makeStable()
    const first = driver.join({ memberId: 'm1' })
    const second = driver.join({ memberId: 'm1' })
    driver.join({ memberId: 'm2' })
    expect([first.count, second.count]).toEqual([1, 1])
    expect(first.answer?.error).toBe('REBALANCE_IN_PROGRESS')
    expect(second.answer).toMatchObject({ error: 'NONE', generationId: 3 })
  })

  it('forgets a new member whose first join has waited five minutes', () => {
    const driver = new Driver()
    driver.makeStable()
    const newcomer = driver.join({ rebalanceTimeoutMs: 1_000_000 }, 'm3')
    for (let beat = 0; beat < 60; beat++) {
      expect(newcomer.count).toBe(0)
      driver.advance(5_000)
      driver.heartbeat('m1')
      driver.heartbeat('m2')
    }
    expect(newcomer).toMatchObject({ count: 1, answer: { error: 'UNKNOWN_MEMBER_ID' } })
    expect(driver.group.memberCount).toBe(2)
  })
})

describe('syncing', () => {
  it('hands every member its assignment once the leader syncs, and an empty one to whom the leader omits', () => {
    const driver = new Driver()
    driver.join()
    driver.join()
    driver.join({ memberId: 'm1' })
    const follower = driver.sync('m2')
    expect(follower.answer).toBeUndefined()
    const leader = driver.sync('m1', { assignments: { m1: 'a1' } })
    expect(text(leader.answer!.assignment)).toBe('a1')
    expect(follower.answer).toMatchObject({ error: 'NONE', protocolName: 'range' })
    expect(follower.answer!.assignment).toHaveLength(0)
  })

  it('answers REBALANCE_IN_PROGRESS while preparing and to syncs that a new rebalance overtakes', () => {
    const driver = new Driver()
    driver.join()
    driver.join()
    driver.join({ memberId: 'm1' })
    const waiting = driver.sync('m2')
    driver.join({}, 'm3')
    expect(waiting.answer?.error).toBe('REBALANCE_IN_PROGRESS')
    expect(driver.sync('m1').answer?.error).toBe('REBALANCE_IN_PROGRESS')
  })

  it('answers the current assignment in a stable group and refuses old generations and strangers', () => {
    const driver = new Driver()
    driver.makeStable()
    expect(text(driver.sync('m2').answer!.assignment)).toBe('a2')
    expect(driver.sync('m2', { generationId: 1 }).answer?.error).toBe('ILLEGAL_GENERATION')
    expect(driver.sync('m7').answer?.error).toBe('UNKNOWN_MEMBER_ID')
  })

  it('removes members that do not sync within the rebalance timeout and rebalances', () => {
    const driver = new Driver()
    driver.join({ sessionTimeoutMs: 100_000 })
    driver.join({ sessionTimeoutMs: 100_000 })
    driver.join({ memberId: 'm1', sessionTimeoutMs: 100_000 })
    driver.sync('m1', { assignments: { m1: 'a', m2: 'b' } })
    driver.advance(60_000)
    expect(driver.group.state).toBe('PreparingRebalance')
    expect(driver.group.memberCount).toBe(1)
    expect(driver.heartbeat('m2')).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('heartbeats', () => {
  it('answers by state: 27 while preparing, 0 while completing and stable, 25 when empty', () => {
    const driver = new Driver()
    driver.join()
    expect(driver.heartbeat('m1')).toBe('NONE')
    driver.sync('m1', { assignments: { m1: 'a' } })
    expect(driver.heartbeat('m1')).toBe('NONE')
    expect(driver.heartbeat('m1', 7)).toBe('ILLEGAL_GENERATION')
    driver.join({}, 'm2')
    expect(driver.heartbeat('m1')).toBe('REBALANCE_IN_PROGRESS')
    driver.leave('m1')
    driver.leave('m2')
    expect(driver.group.state).toBe('Empty')
    expect(driver.heartbeat('m1')).toBe('UNKNOWN_MEMBER_ID')
  })

  it('keeps a member alive for the session timeout after the last one', () => {
    const driver = new Driver()
    driver.makeStable()
    driver.advance(9_999)
    driver.heartbeat('m1')
    driver.heartbeat('m2')
    driver.advance(9_999)
    expect(driver.group.memberCount).toBe(2)
    driver.heartbeat('m1')
    driver.advance(1)
    expect(driver.group.memberCount).toBe(1)
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('does not expire a member whose join waits', () => {
    const driver = new Driver()
    driver.makeStable()
    const waiting = driver.join({ memberId: 'm1' })
    for (let beat = 0; beat < 6; beat++) {
      driver.advance(9_000)
      driver.heartbeat('m2')
    }
    expect(driver.group.memberCount).toBe(2)
    expect(waiting.answer).toBeUndefined()
    driver.join({ memberId: 'm2' })
    expect(waiting.answer).toMatchObject({ error: 'NONE', generationId: 3 })
  })

  it('answers a dead group with COORDINATOR_NOT_AVAILABLE', () => {
    const driver = new Driver()
    expect(driver.group.kill()).toBe(true)
    expect(driver.heartbeat('m1')).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(driver.join().answer?.error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(driver.sync('m1').answer?.error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(driver.leave('m1')).toBe('COORDINATOR_NOT_AVAILABLE')
  })
})

describe('leaving', () => {
  it('rebalances a stable group, and empties it with the last member', () => {
    const driver = new Driver()
    driver.makeStable()
    expect(driver.leave('m2')).toBe('NONE')
    expect(driver.group.state).toBe('PreparingRebalance')
    expect(driver.leave('m2')).toBe('UNKNOWN_MEMBER_ID')
    expect(driver.leave('m1')).toBe('NONE')
    expect(driver.group.state).toBe('Empty')
    expect(driver.group.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY)
  })

  it('removes a static member by its instance id alone', () => {
    const driver = new Driver()
    driver.join({ groupInstanceId: 's' })
    driver.sync('m1', { instance: 's', assignments: { m1: 'a' } })
    expect(driver.group.leave({ memberId: '', groupInstanceId: 'other' }, 0)).toBe('UNKNOWN_MEMBER_ID')
    expect(driver.group.leave({ memberId: '', groupInstanceId: 's' }, 0)).toBe('NONE')
    expect(driver.group.memberCount).toBe(0)
  })

  it('lets a pending member leave, which may complete the join phase', () => {
    const driver = new Driver()
    driver.join({ requiresKnownMemberId: true })
    driver.join({ requiresKnownMemberId: true })
    const joined = driver.join({ memberId: 'm1', requiresKnownMemberId: true })
    expect(driver.leave('m2')).toBe('NONE')
    expect(joined.answer?.error).toBe('NONE')
  })

  it('answers the waiting join of a member that leaves', () => {
    const driver = new Driver()
    driver.makeStable()
    const waiting = driver.join({ memberId: 'm1' })
    driver.leave('m1')
    expect(waiting).toMatchObject({ count: 1, answer: { error: 'UNKNOWN_MEMBER_ID' } })
  })
})

describe('static members', () => {
  const instance = (id: string): Partial<JoinRequest> => ({ groupInstanceId: id })

  function makeStaticGroup(): Driver {
    const driver = new Driver()
    driver.join(instance('s1'))
    driver.join(instance('s2'))
    driver.join({ ...instance('s1'), memberId: 'm1' })
    driver.sync('m1', { instance: 's1', assignments: { m1: 'a1', m2: 'a2' } })
    driver.sync('m2', { instance: 's2' })
    return driver
  }

  it('replaces a follower in a stable group without a rebalance and fences the old member id', () => {
    const driver = makeStaticGroup()
    const back = driver.join(instance('s2'), 'new2')
    expect(back.answer).toMatchObject({ error: 'NONE', memberId: 'new2', generationId: 2, leader: 'm1', members: [] })
    expect(driver.group.state).toBe('Stable')
    const old = { memberId: 'm2', groupInstanceId: 's2' }
    expect(driver.group.heartbeat(old, 2, driver.nowMs)).toBe('FENCED_INSTANCE_ID')
    expect(driver.group.checkCommit(old, 2, driver.nowMs)).toBe('FENCED_INSTANCE_ID')
    expect(driver.group.leave(old, driver.nowMs)).toBe('FENCED_INSTANCE_ID')
    expect(text(driver.sync('new2', { instance: 's2' }).answer!.assignment)).toBe('a2')
  })

  it('names the old leader to a replaced leader before v9', () => {
    const driver = makeStaticGroup()
    const back = driver.join(instance('s1'), 'new1')
    expect(back.answer).toMatchObject({
      error: 'NONE',
      memberId: 'new1',
      leader: 'm1',
      members: [],
      skipAssignment: false,
    })
  })

  it('tells a replaced leader to skip the assignment from v9 on', () => {
    const driver = makeStaticGroup()
    const back = driver.join({ ...instance('s1'), supportsSkippingAssignment: true }, 'new1')
    expect(back.answer).toMatchObject({ error: 'NONE', memberId: 'new1', leader: 'new1', skipAssignment: true })
    expect(back.answer?.members).toHaveLength(2)
  })

  it('forces a rebalance when replaced while the assignment is awaited', () => {
    const driver = new Driver()
    driver.join(instance('s1'))
    driver.join(instance('s2'))
    driver.join({ ...instance('s1'), memberId: 'm1' })
    expect(driver.group.state).toBe('CompletingRebalance')
    const waiting = driver.sync('m2', { instance: 's2' })
    const back = driver.join(instance('s2'), 'new2')
    expect(waiting.answer?.error).toBe('FENCED_INSTANCE_ID')
    expect(back.answer).toBeUndefined()
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('keeps static members that do not rejoin', () => {
    const driver = makeStaticGroup()
    const joined = driver.join({ ...instance('s1'), memberId: 'm1', sessionTimeoutMs: 90_000 })
    driver.group.heartbeat({ memberId: 'm2', groupInstanceId: 's2' }, 2, driver.nowMs + 59_000)
    driver.advance(60_000)
    expect(joined.answer?.members.map(member => member.memberId)).toEqual(['m1', 'm2'])
  })

  it('answers the fenced old join when a second instance with the same id joins', () => {
    const driver = makeStaticGroup()
    const first = driver.join({ ...instance('s1'), memberId: 'm1' })
    driver.join(instance('s1'), 'new1')
    expect(first).toMatchObject({ count: 1, answer: { error: 'FENCED_INSTANCE_ID' } })
  })
})

describe('commits', () => {
  const identity = (memberId: string) => ({ memberId, groupInstanceId: undefined })

  it('accepts a commit from outside only while the group is empty', () => {
    const driver = new Driver()
    expect(driver.group.checkCommit(identity(''), -1, 0)).toBe('NONE')
    driver.makeStable()
    expect(driver.group.checkCommit(identity(''), -1, driver.nowMs)).toBe('UNKNOWN_MEMBER_ID')
  })

  it('accepts members of this generation while stable and preparing, not while completing', () => {
    const driver = new Driver()
    driver.join()
    expect(driver.group.checkCommit(identity('m1'), 1, driver.nowMs)).toBe('REBALANCE_IN_PROGRESS')
    driver.sync('m1', { assignments: { m1: 'a' } })
    expect(driver.group.checkCommit(identity('m1'), 1, driver.nowMs)).toBe('NONE')
    driver.join({}, 'm2')
    expect(driver.group.checkCommit(identity('m1'), 1, driver.nowMs)).toBe('NONE')
  })

  it('refuses members that left or lost their generation', () => {
    const driver = new Driver()
    driver.makeStable()
    expect(driver.group.checkCommit(identity('m1'), 1, driver.nowMs)).toBe('ILLEGAL_GENERATION')
    driver.leave('m2')
    expect(driver.group.checkCommit(identity('m2'), 2, driver.nowMs)).toBe('UNKNOWN_MEMBER_ID')
  })
})
