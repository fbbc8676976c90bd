/**
 * The writer's schema against the table's columns: one node per writer type, with the column it fills. Writer fields without a
 * column are skipped, columns without a writer field are null. What cannot fit is refused here, before any record is read.
 */
import { FloeError } from '../../core/errors.ts'
import { formatType } from '../../table/schema.ts'
import type { Field, FieldType } from '../../table/types.ts'
import type { ColumnBuilder } from '../columns/builders.ts'
import type { AvroRecord, AvroType } from './avro-schema.ts'

/** What the decoder does with a value: writer type to column type. */
export const avroCode = {
  skip: 0,
  boolean: 1,
  intToInt: 2,
  intToLong: 3,
  intToDouble: 4,
  long: 5,
  millis: 6,
  nanos: 7,
  float: 8,
  floatToDouble: 9,
  double: 10,
  bytes: 11,
  string: 12,
  fixed: 13,
  fixedUuid: 14,
  enum: 15,
  decimal: 16,
  record: 17,
  array: 18,
  map: 19,
  union: 20,
  /** Null branch of a union. */
  null: 21,
} as const

export class AvroNode {
  readonly code: number
  readonly path: string
  readonly required: boolean
  /** Undefined for what is skipped. */
  readonly column: ColumnBuilder | undefined
  readonly writer: AvroType
  children: readonly AvroNode[] = []
  /** Record: columns that the writer does not have. */
  absent: readonly ColumnBuilder[] = []
  /** Enum: UTF-8 of the symbols. */
  symbols: readonly Uint8Array[] = []
  /** Fixed: bytes. Decimal: bytes of a fixed one, -1 with a length in front. */
  size = -1

  constructor(code: number, path: string, required: boolean, column: ColumnBuilder | undefined, writer: AvroType) {
    this.code = code
    this.path = path
    this.required = required
    this.column = column
    this.writer = writer
  }
}

/**
 * errors  invalid, naming the column: no writer field for a required column, or a writer type that does not fit
 */
export function planAvro(writer: AvroType, fields: readonly Field[], columns: readonly ColumnBuilder[]): AvroNode {
  if (writer.kind !== 'record') {
    throw new FloeError('invalid', 'avro-schema-mismatch', `the Avro schema is ${writer.kind}; it must be a record`)
  }
  const root = new AvroNode(avroCode.record, '', true, undefined, writer)
  planFields(root, writer, fields, columns, '')
  return root
}

function planFields(
  node: AvroNode,
  writer: AvroRecord,
  fields: readonly Field[],
  columns: readonly ColumnBuilder[],
  path: string,
): void {
  node.children = writer.fields.map(writerField => {
    const index = fields.findIndex(field => field.name === writerField.name)
    const childPath = path === '' ? writerField.name : `${path}.${writerField.name}`
    if (index < 0) return new AvroNode(avroCode.skip, childPath, false, undefined, writerField.type)
    const { type, required } = fields[index]!
    return planValue(writerField.type, type, columns[index]!, required, childPath)
  })
  const absent: ColumnBuilder[] = []
  for (const [index, field] of fields.entries()) {
    if (writer.fields.some(writerField => writerField.name === field.name)) continue
    const childPath = path === '' ? field.name : `${path}.${field.name}`
    if (field.required) throw mismatch(childPath, 'the column is required, and the Avro schema does not have it')
    absent.push(columns[index]!)
  }
  node.absent = absent
}

function planValue(
  writer: AvroType,
  type: FieldType,
  column: ColumnBuilder,
  required: boolean,
  path: string,
): AvroNode {
  if (writer.kind === 'union') {
    const node = new AvroNode(avroCode.union, path, required, column, writer)
    node.children = writer.branches.map(branch => planValue(branch, type, column, required, path))
    return node
  }
  const leaf = (code: number): AvroNode => new AvroNode(code, path, required, column, writer)
  switch (writer.kind) {
    case 'null':
      return leaf(avroCode.null)
    case 'record': {
      if (type.kind !== 'struct' || column.kind !== 'struct') break
      const node = leaf(avroCode.record)
      planFields(node, writer, type.fields, column.children, path)
      return node
    }
    case 'array': {
      if (type.kind !== 'list' || column.kind !== 'list') break
      const node = leaf(avroCode.array)
      node.children = [planValue(writer.items, type.element, column.element, type.elementRequired, `${path}.element`)]
      return node
    }
    case 'map': {
      if (type.kind !== 'map' || column.kind !== 'map') break
      const node = leaf(avroCode.map)
      node.children = [planValue(writer.values, type.value, column.value, type.valueRequired, `${path}.value`)]
      return node
    }
    case 'enum': {
      if (!isPrimitive(type, 'string')) break
      const node = leaf(avroCode.enum)
      node.symbols = writer.symbols.map(symbol => new TextEncoder().encode(symbol))
      return node
    }
    default: {
      const code = type.kind === 'decimal' ? decimalCode(writer, type) : scalarCode(writer, type)
      if (code === undefined) break
      const node = leaf(code)
      if (writer.kind === 'fixed') node.size = writer.size
      return node
    }
  }
  throw mismatch(path, `Avro ${describe(writer)} does not fit the column type ${formatType(type)}`)
}

const isPrimitive = (type: FieldType, ...names: string[]): boolean =>
  type.kind === 'primitive' && names.includes(type.name)

/** A value may have fewer digits than the column; its scale must be the column's, so that nothing is rounded. */
function decimalCode(writer: AvroType, type: { precision: number; scale: number }): number | undefined {
  if (writer.kind !== 'bytes' && writer.kind !== 'fixed') return undefined
  const { logical } = writer
  return logical?.name === 'decimal' && logical.scale === type.scale ? avroCode.decimal : undefined
}

function scalarCode(writer: AvroType, type: FieldType): number | undefined {
  switch (writer.kind) {
    case 'boolean':
      return isPrimitive(type, 'boolean') ? avroCode.boolean : undefined
    case 'int':
      if (isPrimitive(type, 'int', 'date')) return avroCode.intToInt
      if (isPrimitive(type, 'long')) return avroCode.intToLong
      return isPrimitive(type, 'double') ? avroCode.intToDouble : undefined
    case 'long':
      if (isPrimitive(type, 'long')) return avroCode.long
      return isPrimitive(type, 'timestamp', 'timestamptz') ? timestampCode(writer.logical?.name) : undefined
    case 'float':
      if (isPrimitive(type, 'float')) return avroCode.float
      return isPrimitive(type, 'double') ? avroCode.floatToDouble : undefined
    case 'double':
      return isPrimitive(type, 'double') ? avroCode.double : undefined
    case 'bytes':
      if (isPrimitive(type, 'binary')) return avroCode.bytes
      return isPrimitive(type, 'string') ? avroCode.string : undefined
    case 'string':
      if (isPrimitive(type, 'string')) return avroCode.string
      return isPrimitive(type, 'binary') ? avroCode.bytes : undefined
    case 'fixed':
      if (isPrimitive(type, 'binary')) return avroCode.fixed
      return isPrimitive(type, 'string') && writer.logical?.name === 'uuid' && writer.size === 16
        ? avroCode.fixedUuid
        : undefined
    default:
      return undefined
  }
}

/** A long without logical type counts milliseconds, as numbers in JSON do. */
function timestampCode(logical: string | undefined): number {
  if (logical?.endsWith('-micros') === true) return avroCode.long
  return logical?.endsWith('-nanos') === true ? avroCode.nanos : avroCode.millis
}

function describe(writer: AvroType): string {
  if ('logical' in writer && writer.logical !== undefined) return `${writer.kind} (${writer.logical.name})`
  return writer.kind
}

function mismatch(path: string, problem: string): FloeError {
  return new FloeError('invalid', 'avro-schema-mismatch', `field "${path}": ${problem}`, { field: path })
}
