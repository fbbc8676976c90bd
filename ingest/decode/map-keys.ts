/** Keys of one map that came more than once: the last entry stays, as in JSON objects and Protobuf maps. */
import type { BytesBuilder, MapBuilder } from '../columns/builders.ts'
import { createEmptyCopy, gatherColumn, rollbackColumn } from '../columns/column-set.ts'

/** Up to here comparing every pair beats a hash table. */
const pairwiseCountMax = 16

/** Cleans the entries from `first` on, which belong to the map being built. */
export function dropRepeatedKeys(column: MapBuilder, first: number): void {
  const { key, value } = column
  if (!hasRepeatedKeys(key, first)) return
  const kept = keepLastOfKeys(key, first)
  const keys = createEmptyCopy(key)
  const values = createEmptyCopy(value)
  gatherColumn(keys, key, kept, kept.length)
  gatherColumn(values, value, kept, kept.length)
  rollbackColumn(key, first)
  rollbackColumn(value, first)
  const all = Int32Array.from(kept, (_, index) => index)
  gatherColumn(key, keys, all, all.length)
  gatherColumn(value, values, all, all.length)
}

function hasRepeatedKeys(key: BytesBuilder, first: number): boolean {
  const count = key.length - first
  if (count > pairwiseCountMax) return keepLastOfKeys(key, first).length < count
  for (let left = first; left < key.length; left++) {
    for (let right = left + 1; right < key.length; right++) if (keysEqual(key, left, right)) return true
  }
  return false
}

function keysEqual(key: BytesBuilder, left: number, right: number): boolean {
  // Lengths stand in front of the values and are compared with them.
  const start = key.offsets[left]!
  const other = key.offsets[right]!
  const length = key.offsets[left + 1]! - start
  if (length !== key.offsets[right + 1]! - other) return false
  for (let at = 0; at < length; at++) if (key.bytes[start + at] !== key.bytes[other + at]) return false
  return true
}

/** The entries from `first` on whose key does not come again later. */
function keepLastOfKeys(key: BytesBuilder, first: number): Int32Array {
  const last = new Map<string, number>()
  for (let entry = first; entry < key.length; entry++) {
    const start = key.offsets[entry]!
    const text = Buffer.from(key.bytes.buffer, start, key.offsets[entry + 1]! - start).toString('latin1')
    last.set(text, entry)
  }
  return Int32Array.from(last.values()).sort()
}
