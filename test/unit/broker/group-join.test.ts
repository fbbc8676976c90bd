/** How members come to a classic group, row by row as Kafka answers: first joins, rejoins, static members that return. */
import { describe, expect, it } from 'vitest'
import type { JoinRequest } from '../../../broker/groups/types.ts'
import { bytes, GroupDriver, text } from './group-driver.ts'

describe('joining', () => {
  it('gives a v4 dynamic member an id first and lets the pending id block the join phase until it expires', () => {
    const driver = new GroupDriver()
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
    const driver = new GroupDriver()
    expect(driver.join().answer).toMatchObject({ error: 'NONE', generationId: 1, leader: 'm1', protocolName: 'range' })
    expect(driver.group.state).toBe('CompletingRebalance')
  })

  it('refuses an unknown member id', () => {
    const driver = new GroupDriver()
    driver.makeStable()
    expect(driver.join({ memberId: 'nobody' }).answer).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  })

  it('refuses another protocol type and a member without a common protocol', () => {
    const driver = new GroupDriver()
    driver.makeStable()
    expect(driver.join({ protocolType: 'connect' }).answer?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(driver.join({ protocols: [{ name: 'sticky', metadata: bytes('') }] }).answer?.error).toBe(
      'INCONSISTENT_GROUP_PROTOCOL',
    )
    expect(driver.join({ protocols: [] }).answer?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(driver.group.state).toBe('Stable')
  })

  it('refuses a member above the largest size, but counts only who awaits the join during a rebalance', () => {
    const driver = new GroupDriver({ sizeMax: 2 })
    driver.makeStable()
    expect(driver.join().answer?.error).toBe('GROUP_MAX_SIZE_REACHED')
    driver.join({ memberId: 'm1' })
    expect(driver.group.state).toBe('PreparingRebalance')
    const newcomer = driver.join({}, 'm9')
    expect(newcomer.answer).toBeUndefined()
    expect(driver.join({ memberId: 'm2' }).answer?.error).toBe('GROUP_MAX_SIZE_REACHED')
  })

  it('tells only the leader who the members are and picks the protocol most vote for', () => {
    const driver = new GroupDriver()
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
    const driver = new GroupDriver()
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
    const driver = new GroupDriver()
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
    const driver = new GroupDriver({ initialRebalanceDelayMs: 3_000 })
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
    const driver = new GroupDriver()
    driver.makeStable()
    expect(driver.join({ memberId: 'm1' }).answer).toBeUndefined()
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('answers a follower that rejoins a stable group unchanged with the current generation', () => {
    const driver = new GroupDriver()
    driver.makeStable()
    expect(driver.join({ memberId: 'm2' }).answer).toMatchObject({ error: 'NONE', generationId: 2, leader: 'm1' })
    expect(driver.group.state).toBe('Stable')
    driver.join({ memberId: 'm2', protocols: [{ name: 'range', metadata: bytes('other') }] })
    expect(driver.group.state).toBe('PreparingRebalance')
  })

  it('repeats the answer when a member rejoins unchanged while the assignment is awaited', () => {
    const driver = new GroupDriver()
    driver.join()
    const again = driver.join({ memberId: 'm1' })
    expect(again.answer).toMatchObject({ error: 'NONE', generationId: 1 })
    expect(again.answer?.members).toHaveLength(1)
    expect(driver.group.state).toBe('CompletingRebalance')
  })

  it('answers a repeated join once, and the join it replaces too', () => {
    const driver = new GroupDriver()
    driver.makeStable()
    const first = driver.join({ memberId: 'm1' })
    const second = driver.join({ memberId: 'm1' })
    driver.join({ memberId: 'm2' })
    expect([first.count, second.count]).toEqual([1, 1])
    expect(first.answer?.error).toBe('REBALANCE_IN_PROGRESS')
    expect(second.answer).toMatchObject({ error: 'NONE', generationId: 3 })
  })

  it('forgets a new member whose first join has waited five minutes', () => {
    const driver = new GroupDriver()
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

describe('static members', () => {
  const instance = (id: string): Partial<JoinRequest> => ({ groupInstanceId: id })

  function makeStaticGroup(): GroupDriver {
    const driver = new GroupDriver()
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
    const driver = new GroupDriver()
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
