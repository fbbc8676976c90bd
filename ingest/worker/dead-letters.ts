/**
 * Rejected records, and record batches that cannot be read, on their way into a dead-letter Parquet file: whole, with the reason,
 * so that they can be read and replayed.
 */
import type { RecordCursor } from '../../kafka/records/record-cursor.ts'
import type { ParquetEncoder } from '../../table/parquet/encoder.ts'
import { type Field, primitive } from '../../table/types.ts'
import type { BytesBuilder, Int32Builder, Int64Builder, ListBuilder, StructBuilder } from '../columns/builders.ts'
import { ColumnSet } from '../columns/column-set.ts'
import { isUtf8Range } from '../decode/utf8.ts'
import type { BuiltDeadLetters, TableFileBuilderOptions } from './builder-types.ts'
import { pushTimestampMs } from './provenance-column.ts'

/** Columns of every dead-letter file. */
export const deadLetterFields: readonly Field[] = [
  { id: 1, name: 'partition', required: true, type: primitive('int') },
  { id: 2, name: 'offset', required: true, type: primitive('long') },
  { id: 3, name: 'timestamp', required: false, type: primitive('timestamptz') },
  { id: 4, name: 'key', required: false, type: primitive('binary') },
  { id: 5, name: 'value', required: false, type: primitive('binary') },
  {
    id: 6,
    name: 'headers',
    required: true,
    type: {
      kind: 'list',
      elementId: 7,
      elementRequired: true,
      element: {
        kind: 'struct',
        fields: [
          { id: 8, name: 'key', required: true, type: primitive('string') },
          { id: 9, name: 'value', required: false, type: primitive('binary') },
        ],
      },
    },
  },
  { id: 10, name: 'reason_code', required: true, type: primitive('string') },
  { id: 11, name: 'reason', required: true, type: primitive('string') },
]

const utf8 = new TextEncoder()

export class DeadLetterCollector {
  readonly #set = new ColumnSet(deadLetterFields)
  /** Captured bytes: keys, values, headers and reasons. */
  heldBytes = 0

  get recordCount(): number {
    return this.#set.rowCount
  }

  /** `payload` is what the cursor walks. */
  add(
    partition: number,
    offset: number,
    timestampMs: number,
    cursor: RecordCursor,
    payload: Uint8Array,
    code: string,
    reason: string,
  ): void {
    const columns = this.#set.columns
    this.#pushPlace(partition, offset, timestampMs)
    pushNullable(columns[3] as BytesBuilder, payload, cursor.keyAt, cursor.keyBytes)
    pushNullable(columns[4] as BytesBuilder, payload, cursor.valueAt, cursor.valueBytes)
    this.#addHeaders(columns[5] as ListBuilder, cursor, payload)
    this.#endRow(code, reason, cursor.recordBytes)
  }

  /** A record batch whose records cannot be had: its bytes as they came are the value, at the first offset it stands for. */
  addBatch(
    partition: number,
    offset: number,
    timestampMs: number,
    batch: Uint8Array,
    code: string,
    reason: string,
  ): void {
    const columns = this.#set.columns
    const headers = columns[5] as ListBuilder
    this.#pushPlace(partition, offset, timestampMs)
    pushNullable(columns[3] as BytesBuilder, batch, 0, -1)
    pushNullable(columns[4] as BytesBuilder, batch, 0, batch.length)
    headers.pushValid()
    this.#endRow(code, reason, batch.length)
  }

  #pushPlace(partition: number, offset: number, timestampMs: number): void {
    const [partitions, offsets, timestamps] = this.#set.columns as readonly [Int32Builder, Int64Builder, Int64Builder]
    partitions.push(partition)
    offsets.pushNumber(offset)
    pushTimestampMs(timestamps, timestampMs)
  }

  #endRow(code: string, reason: string, bytes: number): void {
    const columns = this.#set.columns
    pushText(columns[6] as BytesBuilder, code)
    pushText(columns[7] as BytesBuilder, reason)
    this.#set.rowCount++
    this.heldBytes += bytes + reason.length
  }

  #addHeaders(headers: ListBuilder, cursor: RecordCursor, payload: Uint8Array): void {
    const header = headers.element as StructBuilder
    while (cursor.nextHeader()) {
      const { headerKeyAt, headerKeyBytes } = cursor
      const keys = header.children[0] as BytesBuilder
      const keyEnd = headerKeyAt + headerKeyBytes
      if (isUtf8Range(payload, headerKeyAt, keyEnd)) keys.push(payload, headerKeyAt, keyEnd)
      else pushText(keys, new TextDecoder().decode(payload.subarray(headerKeyAt, keyEnd)))
      pushNullable(header.children[1] as BytesBuilder, payload, cursor.headerValueAt, cursor.headerValueBytes)
      header.pushValid()
    }
    headers.pushValid()
  }

  /** The file, or undefined when nothing was captured. The collector is empty afterwards. */
  finish(encoder: ParquetEncoder, options: TableFileBuilderOptions): BuiltDeadLetters | undefined {
    if (this.recordCount === 0) return undefined
    const writer = encoder.createFile(deadLetterFields, options)
    writer.append(this.#set)
    const { chunks, fileBytes, recordCount } = writer.finish()
    this.reset()
    return { chunks, fileBytes, recordCount }
  }

  reset(): void {
    this.#set.reset()
    this.heldBytes = 0
  }
}

function pushNullable(column: BytesBuilder, payload: Uint8Array, at: number, count: number): void {
  if (count < 0) column.pushNull()
  else column.push(payload, at, at + count)
}

function pushText(column: BytesBuilder, text: string): void {
  const bytes = utf8.encode(text)
  column.push(bytes, 0, bytes.length)
}
