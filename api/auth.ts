/** One bearer token for the whole port, or none. Compared by digest, so that time tells nothing of the token. */
import { createHash, timingSafeEqual } from 'node:crypto'

export class TokenCheck {
  readonly #digest: Buffer | undefined

  constructor(token: string | undefined) {
    this.#digest = token === undefined ? undefined : digestOf(token)
  }

  /** Whether a token is asked for at all. */
  get isRequired(): boolean {
    return this.#digest !== undefined
  }

  /** `header` is the value of Authorization. The scheme's case does not matter (RFC 9110, 11.1). */
  allowsHeader(header: string | undefined): boolean {
    if (this.#digest === undefined) return true
    const match = /^bearer +([^\s]+) *$/i.exec(header ?? '')
    return match?.[1] !== undefined && this.allowsToken(match[1])
  }

  allowsToken(token: string): boolean {
    return this.#digest === undefined || timingSafeEqual(digestOf(token), this.#digest)
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest()
}
