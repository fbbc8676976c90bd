/** Fills the provenance column (table/provenance.ts) from record headers. */
import type { RecordCursor } from '../../kafka/records/record-cursor.ts'
import { provenanceFieldIdBase } from '../../table/provenance.ts'
import type { Schema } from '../../table/types.ts'
import type { BytesBuilder, ColumnBuilder, Int32Builder, Int64Builder, StructBuilder } from '../columns/builders.ts'
import { pushMicros } from '../decode/json-scalars.ts'

/** A thousand times this still fits int64; no clock reaches it. */
const timestampMsMax = Number.MAX_SAFE_INTEGER

/** Kafka's -1 (no timestamp), other negative ones and those no int64 of microseconds can hold are null. */
export function pushTimestampMs(column: Int64Builder, timestampMs: number): void {
  if (timestampMs < 0 || timestampMs > timestampMsMax) column.pushNull()
  else pushMicros(column, timestampMs, 0)
}

export class ProvenanceColumn {
  readonly #column: StructBuilder
  readonly #partition: Int32Builder
  readonly #offset: Int64Builder
  readonly #timestamp: Int64Builder
  readonly #key: BytesBuilder

  /** `columns` belong to the schema's fields, one each. */
  constructor(schema: Schema, columns: readonly ColumnBuilder[]) {
    const index = schema.fields.findIndex(field => field.id === provenanceFieldIdBase)
    const column = columns[index]
    if (column?.kind !== 'struct') throw new TypeError('the schema has no provenance column')
    this.#column = column
    this.#partition = column.children[0] as Int32Builder
    this.#offset = column.children[1] as Int64Builder
    this.#timestamp = column.children[2] as Int64Builder
    this.#key = column.children[3] as BytesBuilder
  }

  push(partition: number, offset: number, timestampMs: number, cursor: RecordCursor, payload: Uint8Array): void {
    this.#partition.push(partition)
    this.#offset.pushNumber(offset)
    pushTimestampMs(this.#timestamp, timestampMs)
    if (cursor.keyBytes < 0) this.#key.pushNull()
    else this.#key.push(payload, cursor.keyAt, cursor.keyAt + cursor.keyBytes)
    this.#column.pushValid()
  }
}
