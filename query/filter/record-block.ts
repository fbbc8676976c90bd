/**
 * Up to `blockRowsMax` records of one partition, in a kernel's memory: values, keys and the headers that are asked for as places in it,
 * offsets and timestamps as columns.
 */
import { RecordCursor } from '../../kafka/records/record-cursor.ts'
import { blockRowsMax, type Kernel } from '../kernel/kernel.ts'

/** What a batch says of its records. */
export interface BatchOrigin {
  readonly baseOffset: number
  readonly baseTimestampMs: number
  /** Of a batch whose records all have the time of its append. */
  readonly appendTimestampMs: number | undefined
  readonly recordCount: number
}

/** The records of a batch that no block has taken yet. */
export class PendingRecords {
  readonly origin: BatchOrigin
  /** Decompressed; not to be changed. */
  readonly payload: Uint8Array
  readonly cursor = new RecordCursor()
  /** Where the next record begins. */
  at = 0

  /** errors  corrupt: a record count that the payload cannot hold */
  constructor(payload: Uint8Array, origin: BatchOrigin) {
    this.payload = payload
    this.origin = origin
    this.cursor.reset(payload, origin.recordCount)
  }
}

/** Per row two: where something begins and ends in the kernel's memory; 0, 0 for nothing. */
type Spans = Uint32Array

export class RecordBlock {
  readonly kernel: Kernel
  topic = ''
  partition = 0
  readonly offsets = new Float64Array(blockRowsMax)
  readonly timestampsMs = new Float64Array(blockRowsMax)
  readonly keySpans: Spans = new Uint32Array(blockRowsMax * 2)
  /** By name, of those that are asked for; of several headers with one name the last. */
  readonly headerSpans: ReadonlyMap<string, Spans>
  /** Of the values, until the kernel has them. */
  readonly #valueSpans: Spans = new Uint32Array(blockRowsMax * 2)
  readonly #headers: readonly { readonly name: Buffer; readonly spans: Spans }[]
  readonly #loadedSpans: readonly Spans[]

  constructor(kernel: Kernel, headerNames: readonly string[]) {
    this.kernel = kernel
    this.headerSpans = new Map(headerNames.map(name => [name, new Uint32Array(blockRowsMax * 2)]))
    this.#headers = [...this.headerSpans].map(([name, spans]) => ({ name: Buffer.from(name), spans }))
    this.#loadedSpans = [this.keySpans, this.#valueSpans, ...this.headerSpans.values()]
  }

  get rowCount(): number {
    return this.kernel.rowCount
  }

  start(topic: string, partition: number): void {
    this.topic = topic
    this.partition = partition
    this.kernel.startBlock()
  }

  /**
   * Takes records until the block is full or none is left; false when none is left.
   *
   * errors  corrupt: as RecordCursor; exhausted: more than a kernel may have. The block is then not to be used
   */
  fill(records: PendingRecords): boolean {
    const { cursor, payload, origin } = records
    const { kernel, offsets, timestampsMs, keySpans } = this
    const firstRow = kernel.rowCount
    const from = records.at
    let row = firstRow
    let isMore = true
    for (; row < blockRowsMax; row++) {
      isMore = cursor.next()
      if (!isMore) break
      offsets[row] = origin.baseOffset + cursor.offsetDelta
      timestampsMs[row] = origin.appendTimestampMs ?? origin.baseTimestampMs + cursor.timestampDelta
      putSpan(keySpans, row, cursor.keyAt, cursor.keyBytes)
      putSpan(this.#valueSpans, row, cursor.valueAt, cursor.valueBytes)
      if (this.#headers.length > 0) this.#takeHeaders(cursor, payload, row)
      records.at += cursor.recordBytes
    }
    const moved = kernel.copyIn(payload.subarray(from, records.at)) - from
    for (const spans of this.#loadedSpans) moveSpans(spans, firstRow, row, moved)
    for (let index = firstRow; index < row; index++) {
      kernel.addRow(this.#valueSpans[index * 2]!, this.#valueSpans[index * 2 + 1]!)
    }
    return isMore
  }

  #takeHeaders(cursor: RecordCursor, payload: Uint8Array, row: number): void {
    for (const { spans } of this.#headers) putSpan(spans, row, 0, -1)
    while (cursor.nextHeader()) {
      const { headerKeyAt, headerKeyBytes } = cursor
      for (const { name, spans } of this.#headers) {
        if (name.length !== headerKeyBytes) continue
        if (name.compare(payload, headerKeyAt, headerKeyAt + headerKeyBytes) !== 0) continue
        putSpan(spans, row, cursor.headerValueAt, cursor.headerValueBytes)
      }
    }
  }

  /** The text of the row's span; undefined when it has none. */
  spanText(spans: Spans, row: number): string | undefined {
    const end = spans[row * 2 + 1]!
    return end === 0 ? undefined : this.kernel.text(spans[row * 2]!, end)
  }
}

/** A length of -1 is null. Nothing that a record holds begins at the first byte of a payload, so an end of 0 tells that. */
function putSpan(spans: Spans, row: number, at: number, byteCount: number): void {
  spans[row * 2] = byteCount < 0 ? 0 : at
  spans[row * 2 + 1] = byteCount < 0 ? 0 : at + byteCount
}

function moveSpans(spans: Spans, firstRow: number, endRow: number, by: number): void {
  for (let row = firstRow; row < endRow; row++) {
    if (spans[row * 2 + 1] === 0) continue
    spans[row * 2]! += by
    spans[row * 2 + 1]! += by
  }
}
