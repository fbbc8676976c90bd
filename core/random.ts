import { randomBytes } from 'node:crypto'

/** Randomness as a parameter, so that a simulation can replay it from a seed. */
export interface Random {
  /** `count` fresh bytes, owned by the caller. */
  bytes(count: number): Uint8Array
  /** Uniform in [0, 1). For jitter, never for names or secrets. */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: count => new Uint8Array(randomBytes(count)),
  fraction: () => Math.random(),
}

/** Random (version 4) UUID, RFC 9562, lower case with hyphens. */
export function randomUuid(random: Random): string {
  return formatUuid(randomUuidBytes(random))
}

/** The same as 16 bytes, owned by the caller. */
export function randomUuidBytes(random: Random): Uint8Array {
  const bytes = random.bytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes
}

/** 16 bytes to the canonical text form. */
export function formatUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Canonical text form to 16 bytes; the text must be valid. */
export function parseUuid(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll('-', ''), 'hex'))
}

/**
 * A small seeded generator (xorshift128+ after splitmix64; Vigna 2014) for tests, simulations and sample data. Not for secrets.
 */
export function seededRandom(seed: number): Random {
  let state0 = splitMix(BigInt(seed))
  let state1 = splitMix(state0)
  const next = (): bigint => {
    let x = state0
    const y = state1
    state0 = y
    x ^= (x << 23n) & mask64
    x ^= x >> 17n
    x ^= y ^ (y >> 26n)
    state1 = x & mask64
    return (state0 + state1) & mask64
  }
  return {
    bytes(count) {
      const bytes = new Uint8Array(count)
      for (let at = 0; at < count; at += 8) {
        let value = next()
        for (let byte = at; byte < Math.min(at + 8, count); byte++) {
          bytes[byte] = Number(value & 0xffn)
          value >>= 8n
        }
      }
      return bytes
    },
    fraction: () => Number(next() >> 11n) / 2 ** 53,
  }
}

const mask64 = (1n << 64n) - 1n

function splitMix(state: bigint): bigint {
  let z = (state + 0x9e3779b97f4a7c15n) & mask64
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64
  return z ^ (z >> 31n)
}
