/** The decoder of a record format for a table's user columns. */
import type { Field } from '../../table/types.ts'
import type { ColumnBuilder } from '../columns/builders.ts'
import type { RecordFormat } from '../worker/builder-types.ts'
import { AvroDecoder } from './avro-decoder.ts'
import type { ValueDecoder } from './decoder.ts'
import { JsonDecoder } from './json-decoder.ts'
import { ProtoDecoder } from './proto-decoder.ts'

/**
 * `columns` belong to `fields`, one each.
 *
 * errors  invalid: a writer schema that cannot be read or does not fit the columns
 */
export function createDecoder(
  format: RecordFormat,
  fields: readonly Field[],
  columns: readonly ColumnBuilder[],
): ValueDecoder {
  switch (format.kind) {
    case 'json':
      return new JsonDecoder(fields, columns)
    case 'avro':
      return new AvroDecoder(fields, columns, format.schemaText, format.framing)
    case 'protobuf':
      return new ProtoDecoder(fields, columns, format.schemaText, format.messageName, format.framing)
  }
}
