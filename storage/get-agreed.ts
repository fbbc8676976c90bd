import { FloeError } from '../core/errors.ts'
import type { ObjectStore } from './object-store.ts'

/**
 * Reads an object twice and returns it when both reads agree: for objects without a checksum of their own that others are derived from,
 * where one bad read would be written down for ever.
 *
 * errors  unavailable `reads-differ`; what the store throws
 */
export async function getAgreed(store: ObjectStore, key: string): Promise<Uint8Array | undefined> {
  const [first, second] = await Promise.all([store.get(key), store.get(key)])
  if (first === undefined && second === undefined) return undefined
  if (first !== undefined && second !== undefined && Buffer.compare(first, second) === 0) return first
  throw new FloeError('unavailable', 'reads-differ', `${key} in ${store.uri} was read twice and differed`, { key })
}
