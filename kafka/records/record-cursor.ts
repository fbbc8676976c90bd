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
 *
 * The fields of a record are read without a bounds check each: positions only ever grow, bytes beyond the payload read as zero,
 * and a record whose fields do not end exactly at its end is refused before anybody sees it.
 */
export class RecordCursor {
  #bytes: Uint8Array = new Uint8Array(0)
  #recordCount = 0
  #index = -1
  /** Where the last number that was read ended. */
  #at = 0
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
    this.#at = 0
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
    const payloadBytes = this.#bytes.length
    const length = this.#varint(start)
    const end = this.#at + length
    if (length < 0 || end > payloadBytes) throw this.#corrupt(`record of ${length} bytes`)
    // The byte before the timestamp delta holds attributes, which are unused.
    this.timestampDelta = this.#varlong(this.#at + 1)
    this.offsetDelta = this.#varint(this.#at)

    const keyBytes = this.#varint(this.#at)
    let at = this.#at
    this.keyAt = at
    if (keyBytes > 0) at += keyBytes
    this.keyBytes = keyBytes < 0 ? -1 : keyBytes

    const valueBytes = this.#varint(at)
    at = this.#at
    this.valueAt = at
    if (valueBytes > 0) at += valueBytes
    this.valueBytes = valueBytes < 0 ? -1 : valueBytes

    const headerCount = this.#varint(at)
    at = this.#at
    this.headerCount = headerCount
    this.#headersLeft = headerCount
    this.#headerAt = at
    if (headerCount !== 0) at = this.#checkHeaders(headerCount, end)
    if (at !== end) throw this.#corrupt(`the fields of the record end at ${at} instead of ${end}`)
    this.recordBytes = end - start
    this.#recordEnd = end
    if (this.#index === this.#recordCount - 1 && end !== payloadBytes) {
      throw this.#corrupt(`${payloadBytes - end} bytes after the last record`)
    }
    return true
  }

  /** Returns where the headers end. */
  #checkHeaders(headerCount: number, end: number): number {
    let at = this.#at
    if (headerCount < 0 || headerCount * 2 > end - at) throw this.#corrupt(`${headerCount} headers`)
    for (let left = headerCount; left > 0; left--) {
      const keyBytes = this.#varint(at)
      if (keyBytes < 0) throw this.#corrupt('header key is null')
      const valueBytes = this.#varint(this.#at + keyBytes)
      at = this.#at + Math.max(0, valueBytes)
      if (at > end) throw this.#corrupt('header beyond the end of the record')
    }
    return at
  }

  /** Moves to the next header of the current record; false after the last. */
  nextHeader(): boolean {
    if (this.#headersLeft === 0) return false
    this.#headersLeft--
    this.headerKeyBytes = this.#varint(this.#headerAt)
    this.headerKeyAt = this.#at
    this.headerValueBytes = Math.max(-1, this.#varint(this.#at + this.headerKeyBytes))
    this.headerValueAt = this.#at
    this.#headerAt = this.#at + Math.max(0, this.headerValueBytes)
    return true
  }

  /** Zigzag, 32 bits. */
  #varint(start: number): number {
    const bytes = this.#bytes
    let at = start
    let value = bytes[at++]!
    if (value >= 0x80) {
      value &= 0x7f
      for (let shift = 7; ; shift += 7) {
        const byte = bytes[at++]!
        value |= (byte & 0x7f) << shift
        if (!(byte >= 0x80)) break
        if (shift === 28) throw this.#corrupt('number longer than 32 bits')
      }
    }
    this.#at = at
    return (value >>> 1) ^ -(value & 1)
  }

  /** Zigzag, 64 bits; beyond 2^53 the nearest double. */
  #varlong(start: number): number {
    const bytes = this.#bytes
    let at = start
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++]!
      low |= (byte & 0x7f) << shift
      if (!(byte >= 0x80)) {
        this.#at = at
        return (low >>> 1) ^ -(low & 1)
      }
    }
    let high = 0
    let scale = 1
    for (let count = 0; count < 6; count++) {
      const byte = bytes[at++]!
      high += (byte & 0x7f) * scale
      if (!(byte >= 0x80)) {
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
