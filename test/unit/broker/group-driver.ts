/** Drives one classic group as its clients and its coordinator would: time is a number, answers are kept as they come. */
import { expect } from 'vitest'
import { Group } from '../../../broker/groups/group.ts'
import type { JoinAnswer, JoinRequest, SyncAnswer } from '../../../broker/groups/types.ts'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array): string => new TextDecoder().decode(value)

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

export class GroupDriver {
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
