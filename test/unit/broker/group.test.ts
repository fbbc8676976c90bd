/** What members of a classic group ask and how they go, row by row as Kafka answers. Joining is in group-join.test.ts. */
import { describe, expect, it } from 'vitest'
import { GroupDriver, text } from './group-driver.ts'

describe('syncing', () => {
  it('hands every member its assignment once the leader syncs, and an empty one to whom the leader omits', () => {
    const driver = new GroupDriver()
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
    const driver = new GroupDriver()
    driver.join()
    driver.join()
    driver.join({ memberId: 'm1' })
    const waiting = driver.sync('m2')
    driver.join({}, 'm3')
    expect(waiting.answer?.error).toBe('REBALANCE_IN_PROGRESS')
    expect(driver.sync('m1').answer?.error).toBe('REBALANCE_IN_PROGRESS')
  })

  it('answers the current assignment in a stable group and refuses old generations and strangers', () => {
    const driver = new GroupDriver()
    driver.makeStable()
    expect(text(driver.sync('m2').answer!.assignment)).toBe('a2')
    expect(driver.sync('m2', { generationId: 1 }).answer?.error).toBe('ILLEGAL_GENERATION')
    expect(driver.sync('m7').answer?.error).toBe('UNKNOWN_MEMBER_ID')
  })

  it('removes members that do not sync within the rebalance timeout and rebalances', () => {
    const driver = new GroupDriver()
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
    const driver = new GroupDriver()
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
    const driver = new GroupDriver()
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
    const driver = new GroupDriver()
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
    const driver = new GroupDriver()
    expect(driver.group.kill()).toBe(true)
    expect(driver.heartbeat('m1')).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(driver.join().answer?.error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(driver.sync('m1').answer?.error).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(driver.leave('m1')).toBe('COORDINATOR_NOT_AVAILABLE')
  })
})

describe('leaving', () => {
  it('rebalances a stable group, and empties it with the last member', () => {
    const driver = new GroupDriver()
    driver.makeStable()
    expect(driver.leave('m2')).toBe('NONE')
    expect(driver.group.state).toBe('PreparingRebalance')
    expect(driver.leave('m2')).toBe('UNKNOWN_MEMBER_ID')
    expect(driver.leave('m1')).toBe('NONE')
    expect(driver.group.state).toBe('Empty')
    expect(driver.group.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY)
  })

  it('removes a static member by its instance id alone', () => {
    const driver = new GroupDriver()
    driver.join({ groupInstanceId: 's' })
    driver.sync('m1', { instance: 's', assignments: { m1: 'a' } })
    expect(driver.group.leave({ memberId: '', groupInstanceId: 'other' }, 0)).toBe('UNKNOWN_MEMBER_ID')
    expect(driver.group.leave({ memberId: '', groupInstanceId: 's' }, 0)).toBe('NONE')
    expect(driver.group.memberCount).toBe(0)
  })

  it('lets a pending member leave, which may complete the join phase', () => {
    const driver = new GroupDriver()
    driver.join({ requiresKnownMemberId: true })
    driver.join({ requiresKnownMemberId: true })
    const joined = driver.join({ memberId: 'm1', requiresKnownMemberId: true })
    expect(driver.leave('m2')).toBe('NONE')
    expect(joined.answer?.error).toBe('NONE')
  })

  it('answers the waiting join of a member that leaves', () => {
    const driver = new GroupDriver()
    driver.makeStable()
    const waiting = driver.join({ memberId: 'm1' })
    driver.leave('m1')
    expect(waiting).toMatchObject({ count: 1, answer: { error: 'UNKNOWN_MEMBER_ID' } })
  })
})

describe('commits', () => {
  const identity = (memberId: string) => ({ memberId, groupInstanceId: undefined })

  it('accepts a commit from outside only while the group is empty', () => {
    const driver = new GroupDriver()
    expect(driver.group.checkCommit(identity(''), -1, 0)).toBe('NONE')
    driver.makeStable()
    expect(driver.group.checkCommit(identity(''), -1, driver.nowMs)).toBe('UNKNOWN_MEMBER_ID')
  })

  it('accepts members of this generation while stable and preparing, not while completing', () => {
    const driver = new GroupDriver()
    driver.join()
    expect(driver.group.checkCommit(identity('m1'), 1, driver.nowMs)).toBe('REBALANCE_IN_PROGRESS')
    driver.sync('m1', { assignments: { m1: 'a' } })
    expect(driver.group.checkCommit(identity('m1'), 1, driver.nowMs)).toBe('NONE')
    driver.join({}, 'm2')
    expect(driver.group.checkCommit(identity('m1'), 1, driver.nowMs)).toBe('NONE')
  })

  it('refuses members that left or lost their generation', () => {
    const driver = new GroupDriver()
    driver.makeStable()
    expect(driver.group.checkCommit(identity('m1'), 1, driver.nowMs)).toBe('ILLEGAL_GENERATION')
    driver.leave('m2')
    expect(driver.group.checkCommit(identity('m2'), 2, driver.nowMs)).toBe('UNKNOWN_MEMBER_ID')
  })
})
