/**
 * Reads what SnapshotWriter wrote, over a list of chunks; values may straddle chunk borders. Chunks are let go as they are
 * used up. Bytes are hostile: reads are bounded and running out is a `corrupt` error.
 */
import { FloeError } from '../../core/errors.ts'

export class SnapshotReader {
  readonly #chunks: (Uint8Array | undefined)[]
  readonly #what: string
  #index = 0
  #chunk: Uint8Array
  #at = 0
  #remaining: number

  /** Takes the chunks over. */
  constructor(chunks: readonly Uint8Array[], what: string) {
    this.#chunks = [...chunks]
    this.#what = what
    this.#chunk = chunks[0] ?? new Uint8Array(0)
    this.#remaining = 0
    for (const chunk of chunks) this.#remaining += chunk.length
  }

  get remaining(): number {
    return this.#remaining
  }

  corrupt(problem: string): FloeError {
    return new FloeError('corrupt', 'catalog-snapshot-corrupt', `${this.#what}: ${problem}`, {
      remaining: this.#remaining,
    })
  }

  #need(count: number): void {
    if (count > this.#remaining) throw this.corrupt(`needs ${count} bytes, ${this.#remaining} are left`)
  }

  #nextChunk(): void {
    while (this.#at === this.#chunk.length && this.#index + 1 < this.#chunks.length) {
      this.#chunks[this.#index] = undefined
      this.#chunk = this.#chunks[++this.#index]!
      this.#at = 0
    }
  }

  uint8(): number {
    this.#need(1)
    if (this.#at === this.#chunk.length) this.#nextChunk()
    this.#remaining--
    return this.#chunk[this.#at++]!
  }

  bool(): boolean {
    return this.uint8() !== 0
  }

  uvarint(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 8; count++) {
      const byte = this.uint8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw this.corrupt('integer beyond 2^53')
        return value
      }
      scale *= 0x80
    }
    throw this.corrupt('varint too long')
  }

  /** Zigzag, as ByteReader reads it. */
  varint(): number {
    const first = this.uint8()
    const sign = first & 1
    let magnitude = (first & 0x7f) >>> 1
    if (first >= 0x80) magnitude += this.uvarint() * 64
    if (magnitude > Number.MAX_SAFE_INTEGER - sign) throw this.corrupt('integer beyond 2^53')
    return sign === 0 ? magnitude : -magnitude - 1
  }

  float64(): number {
    return new DataView(this.bytes(8).buffer).getFloat64(0)
  }

  /** A count of things that take at least `bytesEach` each. */
  count(bytesEach: number): number {
    const count = this.uvarint()
    if (count * bytesEach > this.#remaining) throw this.corrupt(`count ${count} cannot fit`)
    return count
  }

  /** `count` bytes, copied. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    this.#need(count)
    const bytes = new Uint8Array(count)
    for (let filled = 0; filled < count; ) {
      if (this.#at === this.#chunk.length) this.#nextChunk()
      const part = this.#chunk.subarray(this.#at, this.#at + count - filled)
      bytes.set(part, filled)
      filled += part.length
      this.#at += part.length
    }
    this.#remaining -= count
    return bytes
  }

  sizedString(): string {
    return utf8.decode(this.bytesColumn())
  }

  bytesColumn(): Uint8Array<ArrayBuffer> {
    return this.bytes(this.uvarint())
  }

  /** `length` undefined: as long as it says. */
  float64Column(length?: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#columnBytes(8, length).buffer)
  }

  uint32Column(length?: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#columnBytes(4, length).buffer)
  }

  #columnBytes(width: number, length: number | undefined): Uint8Array<ArrayBuffer> {
    const bytes = this.uvarint()
    if (bytes % width !== 0 || (length !== undefined && bytes !== length * width)) {
      throw this.corrupt(`a column of ${bytes} bytes does not hold ${length ?? 'whole'} values of ${width} bytes`)
    }
    return this.bytes(bytes)
  }

  /** Each domain opens with its number and version; returns the version, one of those that this Floe reads. */
  section(id: number, version: number, versionMin: number = version): number {
    const foundId = this.uvarint()
    const foundVersion = this.uvarint()
    if (foundId !== id) throw this.corrupt(`section ${id} expected, ${foundId} found`)
    if (foundVersion < versionMin || foundVersion > version) {
      throw new FloeError(
        'unsupported',
        'catalog-snapshot-version',
        `${this.#what}: section ${id} has version ${foundVersion}, this Floe reads ${version}: use the Floe that wrote it or newer`,
        { section: id, version: foundVersion },
      )
    }
    return foundVersion
  }
}

const utf8 = new TextDecoder()
