import { describe, expect, it } from 'vitest'
import type { SourceCoverage } from '../../../catalog/client.ts'
import { decidePosition, type PositionRules } from '../../../ingest/positions.ts'

const rules: PositionRules = { topic: 'orders', onGap: 'stop' }

const account = (start: bigint, end: bigint, topicId: string | null = 'id-1'): SourceCoverage => ({
  partition: 3,
  topicId: topicId ?? undefined,
  start,
  end,
  written: end - start,
  filtered: 0n,
  rejected: 0n,
  control: 0n,
  gap: 0n,
  maxTimestampMs: 5,
  ownerEpoch: 1,
})

const state = (logStartOffset: bigint, endOffset: bigint) => ({ partition: 3, logStartOffset, endOffset })

describe('where reading a source partition begins', () => {
  it('begins an unread partition at the earliest offset that is there, without a gap', () => {
    expect(decidePosition(undefined, 'id-1', state(40n, 90n), rules)).toEqual({ kind: 'read', offset: 40n })
    expect(decidePosition(account(-1n, -1n, null), 'id-1', state(40n, 90n), rules)).toEqual({
      kind: 'read',
      offset: 40n,
    })
  })

  it('goes on where the account ends', () => {
    expect(decidePosition(account(0n, 50n), 'id-1', state(0n, 90n), rules)).toEqual({ kind: 'read', offset: 50n })
    expect(decidePosition(account(0n, 50n), 'id-1', state(50n, 50n), rules)).toEqual({ kind: 'read', offset: 50n })
  })

  it('goes on when the cluster has no topic ids', () => {
    expect(decidePosition(account(0n, 50n, null), undefined, state(0n, 90n), rules).kind).toBe('read')
  })

  it('stops when retention passed the position, and says how to go on', () => {
    expect(decidePosition(account(0n, 50n), 'id-1', state(70n, 90n), rules)).toEqual({
      kind: 'stop',
      reason:
        'partition 3 of topic orders starts at offset 70, after offset 50 up to which the table has read: 20 records were ' +
        'removed before they could be read. Set on_gap: record to go on with the gap recorded',
    })
  })

  it('records the gap when told to', () => {
    expect(decidePosition(account(0n, 50n), 'id-1', state(70n, 90n), { ...rules, onGap: 'record' })).toEqual({
      kind: 'gap',
      from: 50n,
      to: 70n,
    })
  })

  it('stops on a recreated or truncated topic, and says how to go on', () => {
    expect(decidePosition(account(0n, 50n), 'id-2', state(0n, 90n), rules)).toEqual({
      kind: 'stop',
      reason:
        'topic orders was deleted and created again: the table holds offsets of topic id id-1, the topic now has id id-2. ' +
        'Its offsets start over, so give the new topic a table of its own (table_name), or set on_gap: record to go on with ' +
        'it in this one',
    })
    expect(decidePosition(account(0n, 50n), 'id-1', state(0n, 20n), rules)).toEqual({
      kind: 'stop',
      reason:
        'partition 3 of topic orders ends at offset 20, before offset 50 up to which the table has read: it was truncated. ' +
        'Restore the topic, give it a table of its own (table_name), or set on_gap: record to go on with what it has now',
    })
  })

  const recording: PositionRules = { ...rules, onGap: 'record' }

  it('begins a generation of a recreated topic at offset 0, wherever it ends: what is gone of it is a gap', () => {
    for (const end of [7n, 50n, 90n]) {
      expect(decidePosition(account(0n, 50n), 'id-2', state(5n, end), recording)).toEqual({
        kind: 'generation',
        start: 0n,
        reason: expect.stringMatching(/^topic orders was deleted and created again: .* now has id id-2$/),
      })
    }
    expect(decidePosition(account(0n, 0n, 'id-2'), 'id-2', state(5n, 90n), recording)).toEqual({
      kind: 'gap',
      from: 0n,
      to: 5n,
    })
  })

  it('begins a generation of a truncated partition at its end', () => {
    expect(decidePosition(account(0n, 50n), 'id-1', state(5n, 20n), recording)).toEqual({
      kind: 'generation',
      start: 20n,
      reason: expect.stringMatching(/ends at offset 20, before offset 50 .*: it was truncated$/),
    })
  })

  it('reads what is there when the cluster does not tell whether the topic is a new one', () => {
    for (const [known, found] of [
      [null, undefined],
      ['id-1', undefined],
      [null, 'id-1'],
    ] as const) {
      expect(decidePosition(account(0n, 50n, known), found, state(5n, 20n), recording)).toEqual({
        kind: 'generation',
        start: 5n,
        reason: expect.stringMatching(/it was truncated, or the topic was created again$/),
      })
    }
  })

  it('goes on at the start of an account of which nothing was read', () => {
    expect(decidePosition(account(0n, 0n), 'id-1', state(0n, 90n), recording)).toEqual({ kind: 'read', offset: 0n })
  })

  it('never decides on a generation twice, whatever the source says', () => {
    for (const [start, end] of [
      [30n, 20n],
      [0n, 0n],
      [20n, 20n],
    ] as const) {
      for (const found of ['id-1', 'id-2', undefined]) {
        const first = decidePosition(account(0n, 50n), found, state(start, end), recording)
        if (first.kind !== 'generation') throw new Error(first.kind)
        const next = decidePosition(
          account(first.start, first.start, found ?? null),
          found,
          state(start, end),
          recording,
        )
        expect(next.kind).not.toBe('generation')
      }
    }
  })
})
