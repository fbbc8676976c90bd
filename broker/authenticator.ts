/**
 * SASL PLAIN (RFC 4616): users and passwords from the options.
 *
 *   token := authorization id, NUL, authentication id, NUL, password
 *
 * Passwords are compared in constant time, also for unknown users.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { SaslUser } from './options.ts'

export const saslMechanisms: readonly string[] = ['PLAIN']

export class Authenticator {
  readonly #passwordHashes: ReadonlyMap<string, Buffer>

  constructor(users: readonly SaslUser[]) {
    this.#passwordHashes = new Map(users.map(({ name, password }) => [name, hash(password)]))
  }

  /** The user's name, or undefined when the token is malformed or wrong. */
  authenticatePlain(token: Uint8Array): string | undefined {
    const parts = Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString('utf8').split('\0')
    if (parts.length !== 3) return undefined
    const [authorizationId, name, password] = parts as [string, string, string]
    const matches = timingSafeEqual(this.#passwordHashes.get(name) ?? nobody, hash(password))
    if (!matches || !this.#passwordHashes.has(name)) return undefined
    return authorizationId === '' || authorizationId === name ? name : undefined
  }
}

function hash(password: string): Buffer {
  return createHash('sha256').update(password).digest()
}

const nobody = Buffer.alloc(32)
