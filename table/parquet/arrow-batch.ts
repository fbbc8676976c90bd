/**
 * Column batches as Arrow record batches. Arrow's arrays are views of ours, except that validity and booleans are packed from
 * bytes into bits and the lengths between strings are dropped.
 */
import {
  Field as ArrowField,
  Schema as ArrowSchema,
  Binary,
  Bool,
  BufferType,
  Data,
  type DataType,
  DateDay,
  Decimal,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  Map_,
  RecordBatch,
  Struct,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow'
import type { Field, FieldType } from '../types.ts'
import { packBits } from './bits.ts'
import { type BytesColumn, bytesPrefix, type ColumnBatch, type ColumnData } from './column-data.ts'

/** parquet-wasm copies this metadata to the Parquet field id, at every level. */
const idKey = 'PARQUET:field_id'

export function createArrowSchema(fields: readonly Field[]): ArrowSchema {
  return new ArrowSchema(fields.map(field => arrowField(field.id, field.name, field.type, field.required)))
}

function arrowField(id: number, name: string, type: FieldType, required: boolean): ArrowField {
  return new ArrowField(name, arrowType(type), !required, new Map([[idKey, String(id)]]))
}

function arrowType(type: FieldType): DataType {
  switch (type.kind) {
    case 'decimal':
      return new Decimal(type.scale, type.precision, 128)
    case 'struct':
      return new Struct(type.fields.map(field => arrowField(field.id, field.name, field.type, field.required)))
    case 'list':
      return new List(arrowField(type.elementId, 'element', type.element, type.elementRequired))
    case 'map': {
      const key = arrowField(type.keyId, 'key', type.key, true)
      const value = arrowField(type.valueId, 'value', type.value, type.valueRequired)
      // Parquet calls the repeated group key_value; it has no field id.
      return new Map_(new ArrowField('key_value', new Struct<{ key: DataType; value: DataType }>([key, value]), false))
    }
    case 'primitive':
      switch (type.name) {
        case 'boolean':
          return new Bool()
        case 'int':
          return new Int32()
        case 'long':
          return new Int64()
        case 'float':
          return new Float32()
        case 'double':
          return new Float64()
        case 'date':
          return new DateDay()
        case 'timestamp':
          return new TimestampMicrosecond()
        case 'timestamptz':
          return new TimestampMicrosecond('UTC')
        case 'string':
          return new Utf8()
        case 'binary':
          return new Binary()
      }
  }
}

/** The batch's arrays are shared: write it out before the columns change. */
export function createArrowBatch(schema: ArrowSchema, batch: ColumnBatch): RecordBatch {
  const children = schema.fields.map((field, index) => arrowData(field.type, batch.columns[index]!))
  const data = new Data(new Struct(schema.fields), 0, batch.rowCount, 0, {}, children)
  return new RecordBatch(schema, data)
}

function arrowData(type: DataType, column: ColumnData): Data {
  const { length, nullCount } = column
  const validity = nullCount === 0 ? {} : { [BufferType.VALIDITY]: packBits(column.validity, length) }
  switch (column.kind) {
    case 'boolean':
      return new Data(type, 0, length, nullCount, { ...validity, [BufferType.DATA]: packBits(column.values, length) })
    case 'int32':
    case 'float32':
    case 'float64': {
      const values = column.values.subarray(0, length)
      return new Data(type, 0, length, nullCount, { ...validity, [BufferType.DATA]: values })
    }
    case 'int64': {
      const values = new BigInt64Array(column.words.buffer, column.words.byteOffset, length)
      return new Data(type, 0, length, nullCount, { ...validity, [BufferType.DATA]: values })
    }
    case 'decimal': {
      const values = new Uint32Array(column.words.buffer, column.words.byteOffset, length * 4)
      return new Data(type, 0, length, nullCount, { ...validity, [BufferType.DATA]: values })
    }
    case 'bytes': {
      const { offsets, values } = dropPrefixes(column)
      const buffers = { ...validity, [BufferType.OFFSET]: offsets, [BufferType.DATA]: values }
      return new Data(type, 0, length, nullCount, buffers)
    }
    case 'struct': {
      const children = column.children.map((child, index) => arrowData(type.children[index]!.type, child))
      return new Data(type, 0, length, nullCount, validity, children)
    }
    case 'list': {
      const offsets = column.offsets.subarray(0, length + 1)
      const element = arrowData(type.children[0]!.type, column.element)
      return new Data(type, 0, length, nullCount, { ...validity, [BufferType.OFFSET]: offsets }, [element])
    }
    case 'map': {
      const offsets = column.offsets.subarray(0, length + 1)
      const entry: DataType = type.children[0]!.type
      const key = arrowData(entry.children[0]!.type, column.key)
      const value = arrowData(entry.children[1]!.type, column.value)
      const entries = new Data(entry, 0, column.key.length, 0, {}, [key, value])
      return new Data(type, 0, length, nullCount, { ...validity, [BufferType.OFFSET]: offsets }, [entries])
    }
  }
}

/** Arrow has no lengths between the values. */
function dropPrefixes({ length, offsets, bytes }: BytesColumn): { offsets: Int32Array; values: Uint8Array } {
  const packed = new Int32Array(length + 1)
  const values = new Uint8Array(offsets[length]!)
  let to = 0
  for (let slot = 0; slot < length; slot++) {
    const end = offsets[slot + 1]!
    for (let at = offsets[slot]! + bytesPrefix; at < end; at++) values[to++] = bytes[at]!
    packed[slot + 1] = to
  }
  return { offsets: packed, values: values.subarray(0, to) }
}
