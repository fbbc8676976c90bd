import { describe, expect, it } from 'vitest'
import { type Lease, Leases, OwnedLease } from '../../../core/lease.ts'

function recordEndings(): { lease: Lease; endings: string[] } {
  const endings: string[] = []
  const lease = { giveBack: () => void endings.push('given back'), abandon: () => void endings.push('abandoned') }
  return { lease, endings }
}

describe('leases', () => {
  it('end all they hold once, in the way that came first', () => {
    const first = recordEndings()
    const leases = new Leases()
    leases.add(first.lease)
    leases.giveBack()
    leases.abandon()
    leases.giveBack()
    expect(first.endings).toEqual(['given back'])
    const second = recordEndings()
    const failed = new Leases()
    failed.add(second.lease)
    failed.abandon()
    failed.giveBack()
    expect(second.endings).toEqual(['abandoned'])
  })

  it('end what a straggler adds at once, and as the others ended', () => {
    const late = [recordEndings(), recordEndings()] as const
    const [given, abandoned] = [new Leases(), new Leases()]
    given.giveBack()
    given.add(late[0].lease)
    abandoned.abandon()
    abandoned.add(late[1].lease)
    expect(late.map(({ endings }) => endings)).toEqual([['given back'], ['abandoned']])
  })

  it('memory without another owner is freed when given back, and left alone when abandoned', () => {
    const given = new Uint8Array(64 * 1024)
    const lease = new OwnedLease(given)
    lease.giveBack()
    lease.giveBack()
    expect(given.length).toBe(0)
    const kept = new Uint8Array(64 * 1024)
    const failed = new OwnedLease(kept)
    failed.abandon()
    failed.giveBack()
    expect(kept.length).toBe(64 * 1024)
  })
})
