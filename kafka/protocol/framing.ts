import { FloeError } from '../../core/errors.ts'
import { releaseMemory } from '../../core/release-memory.ts'
import { frameBytesEager, frameBytesMaxDefault } from './limits.ts'

/**
 * Cuts a byte stream into Kafka frames (int32 size, then that many bytes), whatever way the stream was chunked.
 *
 *   splitter.push(chunk)
 *   while ((frame = splitter.next()) !== undefined) handle(frame)
 *
 * Invariants: a frame inside one chunk is a view of the chunk; one that spans chunks is copied once into its own buffer, and chunks
 * that were only copied from are given back at once. Memory held is the unread chunk plus at most one frame, and a frame's buffer
 * grows with what really arrived, so a large size alone costs nothing. The caller takes all frames before pushing the next chunk,
 * or pushes and lets `bufferedBytes` guide pausing.
 */
export class FrameSplitter {
  readonly #frameBytesMax: number
  /** Chunks not yet looked at; the first one from `#offset` on. */
  readonly #chunks: Uint8Array[] = []
  #offset = 0
  /** A frame that was returned is a view of the first chunk. */
  #isViewed = false
  #bufferedBytes = 0
  /** The frame being assembled across chunks; `#filled` of `#frameBytes` bytes are there. */
  #frame: Uint8Array | undefined
  #frameBytes = 0
  #filled = 0
  /** A size prefix that spans chunks. */
  readonly #prefix = new Uint8Array(4)
  #prefixFilled = 0

  constructor(options: { readonly frameBytesMax?: number } = {}) {
    this.#frameBytesMax = options.frameBytesMax ?? frameBytesMaxDefault
  }

  /** Bytes pushed and not yet returned in a frame. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** Takes ownership of the chunk: frames are views of it, or it is given back. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
  }

  /**
   * The next whole frame without its size prefix, or undefined until more bytes are pushed.
   *
   * errors  invalid: a size that is negative or above the maximum. The stream has no meaning after that: close the connection.
   */
  next(): Uint8Array | undefined {
    for (;;) {
      const chunk = this.#chunks[0]
      if (chunk === undefined) return undefined
      if (this.#frame !== undefined) {
        this.#fill(this.#frame, chunk)
        if (this.#filled === this.#frameBytes) return this.#finishFrame(this.#frame)
        continue
      }
      if (!this.#readPrefix(chunk)) continue
      const bytes = this.#frameBytes
      this.#prefixFilled = 0
      const rest = this.#chunks[0]
      const from = this.#offset
      if (rest !== undefined && rest.length - from >= bytes) {
        this.#isViewed = true
        this.#consume(rest, bytes)
        this.#bufferedBytes -= bytes + 4
        return rest.subarray(from, from + bytes)
      }
      this.#frame = Buffer.allocUnsafeSlow(Math.min(bytes, frameBytesEager))
      this.#filled = 0
      if (bytes === 0) return this.#finishFrame(this.#frame)
    }
  }

  /** True once the whole prefix is there and valid; it is then consumed. */
  #readPrefix(chunk: Uint8Array): boolean {
    const count = Math.min(4 - this.#prefixFilled, chunk.length - this.#offset)
    this.#prefix.set(chunk.subarray(this.#offset, this.#offset + count), this.#prefixFilled)
    this.#prefixFilled += count
    this.#consume(chunk, count)
    if (this.#prefixFilled < 4) return false
    const size = new DataView(this.#prefix.buffer).getInt32(0)
    if (size < 0 || size > this.#frameBytesMax) throw refuseSize(size, this.#prefix, this.#frameBytesMax)
    this.#frameBytes = size
    return true
  }

  #fill(frame: Uint8Array, chunk: Uint8Array): void {
    const count = Math.min(this.#frameBytes - this.#filled, chunk.length - this.#offset)
    const needed = this.#filled + count
    let target = frame
    if (needed > frame.length) {
      target = Buffer.allocUnsafeSlow(Math.min(this.#frameBytes, Math.max(needed, frame.length * 2)))
      target.set(frame.subarray(0, this.#filled))
      this.#frame = target
    }
    target.set(chunk.subarray(this.#offset, this.#offset + count), this.#filled)
    this.#filled = needed
    this.#consume(chunk, count)
  }

  #finishFrame(frame: Uint8Array): Uint8Array {
    const finished = this.#frame ?? frame
    this.#frame = undefined
    this.#bufferedBytes -= this.#frameBytes + 4
    return finished
  }

  #consume(chunk: Uint8Array, count: number): void {
    this.#offset += count
    if (this.#offset < chunk.length) return
    this.#chunks.shift()
    this.#offset = 0
    if (!this.#isViewed) releaseMemory(chunk)
    this.#isViewed = false
  }
}

/** Clients of other protocols are told apart, since a wrong port or a missing TLS setting is the usual cause. */
function refuseSize(size: number, prefix: Uint8Array, frameBytesMax: number): FloeError {
  const text = Buffer.from(prefix).toString('latin1')
  let hint = 'the peer does not speak the Kafka protocol, or the request is too large'
  if (prefix[0] === 0x16 && prefix[1] === 0x03) hint = 'the peer speaks TLS to a listener without TLS'
  else if (/^(GET |POST|PUT |HEAD|OPTI|DELE|PRI )/.test(text)) hint = 'the peer speaks HTTP to a Kafka listener'
  return new FloeError(
    'invalid',
    'kafka-frame-size',
    `request frame of ${size} bytes, between 0 and ${frameBytesMax} are allowed: ${hint}`,
    { size, frameBytesMax },
  )
}
