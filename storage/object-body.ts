/** What every store does alike with bodies, ranges and multipart rules. */
import { FloeError } from '../core/errors.ts'
import { type ByteRange, multipartBytesMin, type ObjectBody } from './object-store.ts'

export function countBodyBytes(body: ObjectBody): number {
  if (body instanceof Uint8Array) return body.length
  let bytes = 0
  for (const chunk of body) bytes += chunk.length
  return bytes
}

/** A fresh copy of the whole body, owned by the caller. */
export function copyBody(body: ObjectBody): Uint8Array {
  if (body instanceof Uint8Array) return new Uint8Array(body)
  const joined = new Uint8Array(countBodyBytes(body))
  let at = 0
  for (const chunk of body) {
    joined.set(chunk, at)
    at += chunk.length
  }
  return joined
}

/** The body as one piece: the caller's own bytes when there is only one chunk, else a copy. */
export function joinBody(body: ObjectBody): Uint8Array {
  if (body instanceof Uint8Array) return body
  return body.length === 1 ? body[0]! : copyBody(body)
}

export function checkRange(range: ByteRange | undefined): void {
  if (range === undefined) return
  const { start, end } = range
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start) return
  throw new FloeError(
    'invalid',
    'byte-range-invalid',
    `byte range [${start}, ${end}) is not valid: 0 <= start <= end`,
    {
      start,
      end,
    },
  )
}

/** Holds the rules of a multipart upload, the same for every store: S3's. */
export class MultipartRules {
  readonly #key: string
  #partCount = 0
  #lastPartBytes = multipartBytesMin
  #state: 'open' | 'completed' | 'aborted' = 'open'

  constructor(key: string) {
    this.#key = key
  }

  /** Counts from zero. */
  addPart(bytes: number): number {
    this.checkOpen()
    if (this.#lastPartBytes < multipartBytesMin) {
      throw this.#refuse('part-too-small', `a part of ${this.#lastPartBytes} bytes is followed by another`)
    }
    if (this.#partCount >= multipartPartCountMax) {
      throw this.#refuse('too-many-parts', `it has more than ${multipartPartCountMax} parts`)
    }
    this.#lastPartBytes = bytes
    return this.#partCount++
  }

  checkOpen(): void {
    if (this.#state !== 'open') throw this.#refuse('finished', `it was ${this.#state} before`)
  }

  complete(): void {
    this.checkOpen()
    this.#state = 'completed'
  }

  /** Whether there is anything to abort. */
  abort(): boolean {
    const open = this.#state === 'open'
    if (open) this.#state = 'aborted'
    return open
  }

  #refuse(code: string, problem: string): FloeError {
    return new FloeError('invalid', `multipart-${code}`, `multipart upload of ${this.#key}: ${problem}`, {
      key: this.#key,
    })
  }
}

/** S3's limit. */
const multipartPartCountMax = 10_000
