/** How the arrays of columns grow: by doubling, up to named limits. */
import { FloeError } from '../../core/errors.ts'

export const slotsAtStart = 64
/** Offsets are int32. One batch is far smaller (rows are flushed at a few MiB), so only one monstrous record gets here. */
export const columnBytesMax = 0x7fff_ffff
export const columnSlotsMax = 0x0fff_ffff

/** Twice the slots, or `needed` if that is more. */
export function growSlots(capacity: number, needed: number): number {
  if (needed > columnSlotsMax) throw tooLarge('slots', needed)
  return Math.min(Math.max(capacity * 2, needed), columnSlotsMax)
}

export function tooLarge(what: string, needed: number): FloeError {
  return new FloeError('exhausted', 'column-too-large', `a column batch cannot hold ${needed} ${what}`, { needed })
}

export function growBytes(old: Uint8Array, used: number, capacity: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(capacity)
  grown.set(old.subarray(0, used))
  return grown
}

export function growInt32(old: Int32Array, used: number, capacity: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(capacity)
  grown.set(old.subarray(0, used))
  return grown
}

/** All slots present (builders.ts). */
export function createValidity(capacity: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(capacity).fill(1)
}

export function growValidity(old: Uint8Array, used: number, capacity: number): Uint8Array<ArrayBuffer> {
  return growBytes(old, used, capacity).fill(1, used)
}
