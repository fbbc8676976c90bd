import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OffsetLedger } from '../../../ingest/verify/offset-ledger.ts'

function words(offsets: readonly number[]): Int32Array {
  return new Int32Array(new BigInt64Array(offsets.map(offset => BigInt(offset))).buffer)
}

describe('the ledger of offsets', () => {
  it('tells what was met, met twice and never met, beyond 2^32 too', () => {
    const start = 2 ** 40
    const ledger = new OffsetLedger([
      { start: 0, end: 10 },
      { start, end: start + 3 },
    ])
    const slots = new Int32Array([0, -1, -1, -1, 1])
    const offsets = [0, 1, 2, 4, 1, start, start + 2, 5]
    const partitions = new Int32Array([0, 0, 0, 0, 0, 4, 4, 9])
    const duplicates: string[] = []
    ledger.markAll(slots, partitions, words(offsets), offsets.length, (partition, offset) => {
      duplicates.push(`${partition}/${offset}`)
    })
    expect([...ledger.metCount]).toEqual([4, 2])
    expect([...ledger.duplicateCount]).toEqual([1, 0])
    expect(duplicates).toEqual(['0/1'])
    expect(ledger.firstUnmet(0)).toBe(3)
    expect(ledger.firstUnmet(1)).toBe(start + 1)
  })

  it('has nothing unmet when every offset was met, whatever the order and the range', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 45 }), fc.integer({ min: 1, max: 300 }), (start, length) => {
        const ledger = new OffsetLedger([{ start, end: start + length }])
        const offsets = Array.from({ length }, (_, index) => start + index).reverse()
        ledger.markAll(new Int32Array(8), new Int32Array(length).fill(7), words(offsets), length, () => {})
        expect(ledger.metCount[0]).toBe(length)
        expect(ledger.firstUnmet(0)).toBeUndefined()
      }),
      { numRuns: 50 },
    )
  })
})
