/**
 * The numbers from 0 to count - 1, so that each next one falls into one of the widest gaps that are left: any beginning of it is spread
 * evenly over all of them, and what lies on either side of a place is halved, or nearly, with every few steps.
 *
 * The k-th is the fraction of k times the golden ratio, as 32 bits, scaled to the count; numbers that came before are passed over.
 *
 * source  Knuth, The Art of Computer Programming, volume 3, 6.4: Fibonacci hashing; the three-distance theorem
 */
export function goldenOrder(count: number): Uint32Array {
  if (count > goldenOrderCountMax) throw new RangeError(`${count} numbers, ${goldenOrderCountMax} are the most`)
  const order = new Uint32Array(count)
  const isTaken = new Uint8Array(count)
  let found = 0
  for (let step = 0; found < count; step++) {
    const number = Math.floor(((Math.imul(step, goldenRatio32) >>> 0) * count) / 2 ** 32)
    if (isTaken[number] === 1) continue
    isTaken[number] = 1
    order[found++] = number
  }
  return order
}

/** 2^32 divided by the golden ratio. */
const goldenRatio32 = 2_654_435_769
/** Up to here the product above is exact. */
export const goldenOrderCountMax = 1 << 21
