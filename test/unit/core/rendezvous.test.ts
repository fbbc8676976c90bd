import { expect, test } from 'vitest'
import { hashKey, pickByRendezvous } from '../../../core/rendezvous.ts'

const keys = Array.from({ length: 3_000 }, (_, index) => hashKey(`key ${index}`))

test('spreads keys evenly over candidates', () => {
  const counts = new Map<number, number>()
  for (const key of keys) {
    const picked = pickByRendezvous(key, [0, 1, 2])
    counts.set(picked, (counts.get(picked) ?? 0) + 1)
  }
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120)
  expect(counts.size).toBe(3)
})

test('moves only the keys of a candidate that goes, whatever the order of the others', () => {
  for (const key of keys) {
    const before = pickByRendezvous(key, [0, 1, 2, 3])
    const after = pickByRendezvous(key, [3, 1, 0])
    if (before !== 2) expect(after).toBe(before)
  }
})
