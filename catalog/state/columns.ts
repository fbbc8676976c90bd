/**
 * Growing typed arrays: state is kept in columns, so that a row costs its bytes and the garbage collector sees a few arrays.
 * Growing copies into a new array and leaves the old one as it was; a catalog snapshot that still reads the old one is
 * therefore never disturbed (snapshot/snapshot-writer.ts).
 */
export function growFloat64(values: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(capacity)
  grown.set(values.subarray(0, Math.min(values.length, capacity)))
  return grown
}

export function growUint32(values: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(capacity)
  grown.set(values.subarray(0, Math.min(values.length, capacity)))
  return grown
}

export function growUint8(values: Uint8Array, capacity: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(capacity)
  grown.set(values.subarray(0, Math.min(values.length, capacity)))
  return grown
}

/** The larger a column, the smaller a part of it lies idle. */
export function nextCapacity(capacity: number, needed: number): number {
  const factor = capacity < 1 << 12 ? 2 : capacity < 1 << 20 ? 1.5 : 1.25
  return Math.max(needed, Math.ceil(capacity * factor), 4)
}

/** Index of the first of `values[from, to)`, which ascend, that is greater than `target`; `to` when none is. */
export function findFirstGreater(values: Float64Array, from: number, to: number, target: number): number {
  let low = from
  let high = to
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! > target) high = middle
    else low = middle + 1
  }
  return low
}
