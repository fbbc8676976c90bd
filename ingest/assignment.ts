/**
 * Who ingests which source partition: every worker computes the same shares from the same list of workers, and takes its own. Shares
 * differ by one partition at most, and few partitions move when a worker comes or goes.
 *
 * Two workers that do not know the same list yet may both want a partition: the owner epoch of the later claim decides
 * (claimSourcePartitions), and the other one computes anew.
 *
 * Source: rendezvous hashing (core/rendezvous.ts) with bounded loads: Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with
 * bounded loads", 2018.
 */
import { hashKey, pickByRendezvous, rendezvousScore } from '../core/rendezvous.ts'

/** The partitions of a table's source that `worker` reads, of `partitionCount`, when `workers` (ids, not empty) share them. */
export function assignPartitions(
  tableUuid: string,
  partitionCount: number,
  workers: readonly number[],
  worker: number,
): number[] {
  const tableHash = hashKey(tableUuid)
  const sharesMax = Math.ceil(partitionCount / workers.length)
  // As many workers as divide evenly may have the larger share.
  let largerLeft = partitionCount - (sharesMax - 1) * workers.length
  const counts = new Uint32Array(workers.length)
  const assigned: number[] = []
  for (let partition = 0; partition < partitionCount; partition++) {
    const partitionHash = tableHash ^ Math.imul(partition + 1, 0x9e3779b1)
    let best = -1
    let bestScore = -1
    for (let index = 0; index < workers.length; index++) {
      const room = counts[index]! < sharesMax - 1 || (counts[index]! < sharesMax && largerLeft > 0)
      if (!room) continue
      const score = rendezvousScore(partitionHash, workers[index]!)
      if (score > bestScore) {
        best = index
        bestScore = score
      }
    }
    if (++counts[best]! === sharesMax) largerLeft--
    if (workers[best] === worker) assigned.push(partition)
  }
  return assigned
}

/** The one of `workers` (not empty) that publishes the table's versions. */
export function pickPublisher(tableUuid: string, workers: readonly number[]): number {
  return pickByRendezvous(hashKey(tableUuid), workers)
}
