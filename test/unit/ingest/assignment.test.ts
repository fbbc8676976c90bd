import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignPartitions, pickPublisher } from '../../../ingest/assignment.ts'

const workerLists = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 20 })

test('every partition has one worker, and shares differ by one at most', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.nat(200), workerLists, (uuid, partitionCount, workers) => {
      const shares = workers.map(worker => assignPartitions(uuid, partitionCount, workers, worker))
      expect(shares.flat().sort((left, right) => left - right)).toEqual(
        Array.from({ length: partitionCount }, (_, p) => p),
      )
      const sizes = shares.map(share => share.length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})

test('the order in which workers are listed does not matter', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.nat(50), workerLists, (uuid, partitionCount, workers) => {
      const reversed = [...workers].reverse()
      for (const worker of workers) {
        expect(assignPartitions(uuid, partitionCount, reversed, worker)).toEqual(
          assignPartitions(uuid, partitionCount, workers, worker),
        )
      }
      expect(workers).toContain(pickPublisher(uuid, workers))
      expect(pickPublisher(uuid, reversed)).toBe(pickPublisher(uuid, workers))
    }),
  )
})

test('when one of ten workers goes, most partitions stay where they are', () => {
  const workers = Array.from({ length: 10 }, (_, index) => index)
  const owners = (list: readonly number[]): number[] => {
    const owner: number[] = []
    for (const worker of list)
      for (const partition of assignPartitions('table', 1000, list, worker)) owner[partition] = worker
    return owner
  }
  const before = owners(workers)
  const after = owners(workers.filter(worker => worker !== 4))
  const moved = before.filter((worker, partition) => worker !== 4 && after[partition] !== worker).length
  expect(moved).toBeLessThan(250)
})

test('single partitions of many tables go to all workers', () => {
  const workers = [0, 1, 2]
  const counts = workers.map(
    worker =>
      Array.from({ length: 300 }, (_, table) => assignPartitions(`table ${table}`, 1, workers, worker)).filter(
        share => share.length === 1,
      ).length,
  )
  for (const count of counts) expect(count).toBeGreaterThan(60)
})
