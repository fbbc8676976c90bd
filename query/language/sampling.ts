/** Which events `sample` keeps: told by partition and offset alone, so that the same query over the same records always finds the same. */

/** Percent above 0, at most 100. */
export function keepsSample(partition: number, offset: bigint, percent: number): boolean {
  return mix(partition, offset) < (percent / 100) * 2 ** 32
}

/** An unsigned 32-bit number that neighbouring offsets share nothing of (the finalizer of MurmurHash3, twice). */
function mix(partition: number, offset: bigint): number {
  const low = Number(BigInt.asUintN(32, offset))
  const high = Number(BigInt.asUintN(32, offset >> 32n))
  return finalize(finalize(low ^ Math.imul(high, 0x9e3779b1)) ^ Math.imul(partition + 1, 0x85ebca6b))
}

function finalize(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
