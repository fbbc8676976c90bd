import { FloeError } from '../../core/errors.ts'

/**
 * Walks the records of one batch, decompressed, as integers into the payload: no object, string or copy per record.
 *
 *   record  := varint length, int8 attributes, varlong timestamp delta, varint offset delta,
 *              varint key length | -1, key, varint value length | -1, value, varint header count, header*
 *   header  := varint key length, key, varint value length | -1, value
 *
 * All varints are zigzag. Source: Kafka documentation, "Record".
 *
 *   cursor.reset(payload, batch.recordCount)
 *   while (cursor.next()) {
 *     use(cursor.offsetDelta, payload.subarray(cursor.valueAt, cursor.valueAt + cursor.valueBytes))
 *     while (cursor.nextHeader()) use(cursor.headerKeyAt, cursor.headerKeyBytes, cursor.headerValueAt, cursor.headerValueBytes)
 *   }
 *
 * Invariants: bytes are hostile. When `next()` returned true the whole record, headers included, was checked to lie within
 * its length and to fill it. A length of -1 is null, and `At` then has no meaning. Every malformation is a FloeError of kind
 * `corrupt`, code `corrupt-record`, that names record and byte. Bytes after the last record are an error too.
 */
export class RecordCursor {
  #bytes: Uint8Array = new Uint8Array(0)
  #recordCount = 0
  #index = -1
  /** Where reading goes on. */
  #at = 0
  /** Reading must not pass this: the end of the record, or of the payload. */
  #limit = 0
  #recordEnd = 0
  #headersLeft = 0
  #headerAt = 0

  /** Counts from zero. */
  get index(): number {
    return this.#index
  }
  /** Size of the whole record with its length prefix. */
  recordBytes = 0
  offsetDelta = 0
  /** Milliseconds after the base timestamp of the batch; exact within ±2^53, which no clock reaches. */
  timestampDelta = 0
  keyAt = 0
  keyBytes = -1
  valueAt = 0
  valueBytes = -1
  headerCount = 0
  headerKeyAt = 0
  headerKeyBytes = 0
  headerValueAt = 0
  headerValueBytes = -1

  /**
   * Starts over on the decompressed payload of a batch.
   *
   * errors  corrupt: a record count that the payload cannot hold
   */
  reset(payload: Uint8Array, recordCount: number): void {
    this.#bytes = payload
    this.#recordCount = recordCount
    this.#index = -1
    this.#recordEnd = 0
    if (recordCount < 0 || recordCount * recordBytesMin > payload.length) {
      throw this.#corrupt(`${recordCount} records cannot fit in ${payload.length} bytes`)
    }
    if (recordCount === 0 && payload.length > 0) throw this.#corrupt(`${payload.length} bytes but no record`)
  }

  /** Moves to the next record; false after the last. */
  next(): boolean {
    const start = this.#recordEnd
    if (++this.#index >= this.#recordCount) return false
    this.#at = start
    this.#limit = this.#bytes.length
    const length = this.#varint()
    const end = this.#at + length
    if (length < 0 || end > this.#limit) throw this.#corrupt(`record of ${length} bytes`)
    this.#limit = end
    this.#at++ // attributes, unused
    this.timestampDelta = this.#varlong()
    this.offsetDelta = this.#varint()

    this.keyBytes = this.#size('key')
    this.keyAt = this.#at
    if (this.keyBytes > 0) this.#at += this.keyBytes
    this.valueBytes = this.#size('value')
    this.valueAt = this.#at
    if (this.valueBytes > 0) this.#at += this.valueBytes

    const headerCount = this.#varint()
    if (headerCount < 0 || headerCount * 2 > end - this.#at) throw this.#corrupt(`${headerCount} headers`)
    this.headerCount = headerCount
    this.#headersLeft = headerCount
    this.#headerAt = this.#at
    for (let left = headerCount; left > 0; left--) {
      const keyBytes = this.#size('header key')
      if (keyBytes < 0) throw this.#corrupt('header key is null')
      this.#at += keyBytes
      const valueBytes = this.#size('header value')
      if (valueBytes > 0) this.#at += valueBytes
    }
    if (this.#at !== end) throw this.#corrupt(`${end - this.#at} bytes of the record are left over`)
    this.recordBytes = end - start
    this.#recordEnd = end
    if (this.#index === this.#recordCount - 1 && end !== this.#bytes.length) {
      throw this.#corrupt(`${this.#bytes.length - end} bytes after the last record`)
    }
    return true
  }

  /** Moves to the next header of the current record; false after the last. */
  nextHeader(): boolean {
    if (this.#headersLeft === 0) return false
    this.#headersLeft--
    this.#at = this.#headerAt
    this.headerKeyBytes = this.#size('header key')
    this.headerKeyAt = this.#at
    this.#at += this.headerKeyBytes
    this.headerValueBytes = this.#size('header value')
    this.headerValueAt = this.#at
    if (this.headerValueBytes > 0) this.#at += this.headerValueBytes
    this.#headerAt = this.#at
    return true
  }

  /** A length that fits in the rest of the record; any negative one is null, as for Kafka. */
  #size(what: string): number {
    const size = this.#varint()
    if (size > this.#limit - this.#at) throw this.#corrupt(`${what} of ${size} bytes`)
    return size < 0 ? -1 : size
  }

  /** Zigzag, 32 bits. */
  #varint(): number {
    const bytes = this.#bytes
    let at = this.#at
    if (at < this.#limit) {
      const first = bytes[at]!
      if (first < 0x80) {
        this.#at = at + 1
        return (first >>> 1) ^ -(first & 1)
      }
    }
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= this.#limit) throw this.#corrupt('ends inside a number')
      const byte = bytes[at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.#at = at
        return (value >>> 1) ^ -(value & 1)
      }
    }
    throw this.#corrupt('number longer than 32 bits')
  }

  /** Zigzag, 64 bits; beyond 2^53 the nearest double. */
  #varlong(): number {
    const bytes = this.#bytes
    let at = this.#at
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= this.#limit) throw this.#corrupt('ends inside a number')
      const byte = bytes[at++]!
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.#at = at
        return (low >>> 1) ^ -(low & 1)
      }
    }
    let high = 0
    let scale = 1
    for (let count = 0; count < 6; count++) {
      if (at >= this.#limit) throw this.#corrupt('ends inside a number')
      const byte = bytes[at++]!
      high += (byte & 0x7f) * scale
      if (byte < 0x80) {
        this.#at = at
        // Half of the zigzag value is magnitude, its lowest bit the sign.
        const half = high * 2 ** 27 + (low >>> 1)
        return (low & 1) === 0 ? half : -half - 1
      }
      scale *= 0x80
    }
    throw this.#corrupt('number longer than 64 bits')
  }

  #corrupt(problem: string): FloeError {
    return new FloeError('corrupt', 'corrupt-record', `record ${this.#index}: ${problem} at byte ${this.#at}`, {
      record: this.#index,
      at: this.#at,
    })
  }
}

/** Length, attributes, two deltas, two lengths and a header count, one byte each. */
const recordBytesMin = 7
