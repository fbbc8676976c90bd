import { describe, expect, it } from 'vitest'
import type { SourceCoverage } from '../../../catalog/client.ts'
import { decidePosition, type PositionRules } from '../../../ingest/positions.ts'

const rules: PositionRules = { topic: 'orders', onGap: 'stop', startOffset: 'earliest' }

const account = (start: bigint, end: bigint, topicId: string | undefined = 'id-1'): SourceCoverage => ({
  partition: 3,
  topicId,
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
    expect(decidePosition(account(0n, 0n, undefined), 'id-1', state(40n, 90n), rules)).toEqual({
      kind: 'read',
      offset: 40n,
    })
  })

  it('begins an unread partition at its end when asked for the latest', () => {
    const latest: PositionRules = { ...rules, startOffset: 'latest' }
    expect(decidePosition(undefined, 'id-1', state(40n, 90n), latest)).toEqual({ kind: 'read', offset: 90n })
  })

  it('goes on where the account ends', () => {
    expect(decidePosition(account(0n, 50n), 'id-1', state(0n, 90n), rules)).toEqual({ kind: 'read', offset: 50n })
    expect(decidePosition(account(0n, 50n), 'id-1', state(50n, 50n), rules)).toEqual({ kind: 'read', offset: 50n })
  })

  it('goes on when the cluster has no topic ids', () => {
    expect(decidePosition(account(0n, 50n, undefined), undefined, state(0n, 90n), rules).kind).toBe('read')
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

  it.each(['stop', 'record'] as const)('stops on a recreated or truncated topic, also under on_gap: %s', onGap => {
    const recreated = decidePosition(account(0n, 50n), 'id-2', state(0n, 90n), { ...rules, onGap })
    expect(recreated.kind === 'stop' && recreated.reason).toMatch(/^topic orders was deleted and created again/)
    const truncated = decidePosition(account(0n, 50n), 'id-1', state(0n, 20n), { ...rules, onGap })
    expect(truncated.kind === 'stop' && truncated.reason).toMatch(/ends at offset 20, before offset 50/)
  })
})
