/** Sample rows as record values in JSON, Avro and Protobuf, and the schemas to read them by. */
import avro from 'avsc'
import protobuf from 'protobufjs'
import {
  dateText,
  decimalText,
  isList,
  isRow,
  type SampleColumn,
  type SampleRow,
  type SampleType,
  type SampleValue,
  timestampText,
} from './columns.ts'

export type SourceFormat = 'json' | 'avro' | 'protobuf'
export type Encoder = (row: SampleRow) => Buffer

/** `schema.fields` of the configuration. */
export function configFields(of: readonly SampleColumn[], required: readonly string[]): object[] {
  return of.map(({ name, type }) => ({ name, ...configType(type), ...(required.includes(name) && { required: true }) }))
}

function configType(type: SampleType): { type: string; [key: string]: unknown } {
  switch (type.kind) {
    case 'decimal':
      return { type: `decimal(${type.precision},${type.scale})` }
    case 'struct':
      return { type: 'struct', fields: configFields(type.fields, []) }
    case 'list':
      return { type: 'list', element: configType(type.element) }
    case 'map':
      return { type: 'map', key: 'string', value: configType(type.value) }
    default:
      return { type: type.kind }
  }
}

// ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const jsonEncoder =
  (of: readonly SampleColumn[]): Encoder =>
  row =>
    Buffer.from(jsonObject(of, row))

/** Nulls are left out in every second row, and written as null in the others. */
function jsonObject(of: readonly SampleColumn[], row: SampleRow): string {
  const omitNulls = Number(row.k ?? 0) % 2 === 1
  const members = of.flatMap(({ name, type }) => {
    const value = row[name] ?? null
    return value === null && omitNulls ? [] : [`${JSON.stringify(name)}:${jsonText(type, value)}`]
  })
  return `{${members.join(',')}}`
}

function jsonText(type: SampleType, value: SampleValue): string {
  if (value === null) return 'null'
  if (type.kind === 'struct' && isRow(value)) return jsonObject(type.fields, value)
  if (type.kind === 'list' && isList(value)) return `[${value.map(each => jsonText(type.element, each)).join(',')}]`
  if (type.kind === 'map' && value instanceof Map) {
    const entries = [...value].map(([key, each]) => `${JSON.stringify(key)}:${jsonText(type.value, each)}`)
    return `{${entries.join(',')}}`
  }
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  if (type.kind === 'decimal' && typeof value === 'bigint') return decimalText(value, type.scale)
  if (type.kind === 'date') return JSON.stringify(dateText(Number(value)))
  if (type.kind === 'timestamp' && typeof value === 'bigint') return JSON.stringify(timestampText(value))
  if (type.kind === 'timestamptz' && typeof value === 'bigint') return JSON.stringify(`${timestampText(value)}Z`)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return JSON.stringify(String(value))
  return Object.is(value, -0) ? '-0.0' : String(value)
}

// ── Avro ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Every field and element may be null. */
export function avroSchemaText(of: readonly SampleColumn[]): string {
  let recordCount = 0
  const typeOf = (type: SampleType): unknown => {
    switch (type.kind) {
      case 'decimal':
        return { type: 'bytes', logicalType: 'decimal', precision: type.precision, scale: type.scale }
      case 'struct':
        return recordOf(type.fields)
      case 'list':
        return { type: 'array', items: ['null', typeOf(type.element)] }
      case 'map':
        return { type: 'map', values: ['null', typeOf(type.value)] }
      case 'binary':
        return 'bytes'
      case 'date':
        return { type: 'int', logicalType: 'date' }
      case 'timestamp':
        return { type: 'long', logicalType: 'local-timestamp-micros' }
      case 'timestamptz':
        return { type: 'long', logicalType: 'timestamp-micros' }
      default:
        return type.kind
    }
  }
  const recordOf = (fields: readonly SampleColumn[]): unknown => ({
    type: 'record',
    name: `Record${recordCount++}`,
    fields: fields.map(({ name, type }) => ({ name, type: ['null', typeOf(type)], default: null })),
  })
  return JSON.stringify(recordOf(of))
}

export function avroEncoder(of: readonly SampleColumn[]): Encoder {
  const long = avro.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(value)
      return bytes
    },
    fromJSON: BigInt,
    toJSON: Number,
    isValid: (value: unknown) => typeof value === 'bigint',
    compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
  })
  const type = avro.Type.forSchema(JSON.parse(avroSchemaText(of)) as avro.Schema, {
    wrapUnions: true,
    typeHook: schema => (isLong(schema) ? long : undefined),
  })
  return row => type.toBuffer(avroRecord(type, of, row))
}

const isLong = (schema: unknown): boolean =>
  schema === 'long' || (typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'long')

function avroRecord(writer: avro.Type, of: readonly SampleColumn[], row: SampleRow): Record<string, unknown> {
  const { fields } = writer as avro.types.RecordType
  return Object.fromEntries(
    of.map(({ name, type }, index) => [name, avroNullable(fields[index]!.type, type, row[name] ?? null)]),
  )
}

/** Unions come wrapped, `{branch: value}`: the other form cannot tell a branch by a bigint. */
function avroNullable(union: avro.Type, type: SampleType, value: SampleValue): unknown {
  if (value === null) return null
  const writer = (union as avro.types.WrappedUnionType).types[1]!
  return { [writer.branchName!]: avroValue(writer, type, value) }
}

function avroValue(writer: avro.Type, type: SampleType, value: SampleValue): unknown {
  if (type.kind === 'struct' && value !== null && isRow(value)) return avroRecord(writer, type.fields, value)
  if (type.kind === 'list' && isList(value)) {
    const { itemsType } = writer as avro.types.ArrayType
    return value.map(each => avroNullable(itemsType, type.element, each))
  }
  if (type.kind === 'map' && value instanceof Map) {
    const { valuesType } = writer as avro.types.MapType
    return Object.fromEntries([...value].map(([key, each]) => [key, avroNullable(valuesType, type.value, each)]))
  }
  if (type.kind === 'decimal' && typeof value === 'bigint') return twosComplement(value)
  return value instanceof Uint8Array ? Buffer.from(value) : value
}

/** Big-endian, in the fewest bytes. */
function twosComplement(value: bigint): Buffer {
  let count = 1
  while (BigInt.asIntN(count * 8, value) !== value) count++
  return Buffer.from(
    BigInt.asUintN(count * 8, value)
      .toString(16)
      .padStart(count * 2, '0'),
    'hex',
  )
}

// ── Protobuf ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Scalars are `optional`, so that null can be told from a default; lists and maps cannot be null, nor can their values. */
export function protoText(of: readonly SampleColumn[]): string {
  const messages: string[] = []
  const typeOf = (type: SampleType): string => {
    switch (type.kind) {
      case 'struct':
        return messageOf(type.fields)
      case 'decimal':
        return 'uint64'
      case 'boolean':
        return 'bool'
      case 'int':
        return 'sint32'
      case 'long':
        return 'sint64'
      case 'date':
        return 'int32'
      case 'binary':
        return 'bytes'
      case 'timestamptz':
        return 'google.protobuf.Timestamp'
      default:
        return type.kind
    }
  }
  const fieldOf = ({ name, type }: SampleColumn, index: number): string => {
    const number = index + 1
    if (type.kind === 'list') return `repeated ${typeOf(type.element)} ${name} = ${number};`
    if (type.kind === 'map') return `map<string, ${typeOf(type.value)}> ${name} = ${number};`
    return `optional ${typeOf(type)} ${name} = ${number};`
  }
  const messageOf = (fields: readonly SampleColumn[]): string => {
    const name = `Message${messages.length}`
    const at = messages.push('') - 1
    messages[at] = `message ${name} {\n${fields.map((field, index) => `  ${fieldOf(field, index)}\n`).join('')}}\n`
    return name
  }
  messageOf(of)
  return `syntax = "proto3";\npackage sample;\nimport "google/protobuf/timestamp.proto";\n${messages.join('')}`
}

export function protoEncoder(of: readonly SampleColumn[]): Encoder {
  const root = new protobuf.Root()
  const known = protobuf.common.get('google/protobuf/timestamp.proto')
  if (known?.nested) root.addJSON(known.nested)
  const type = protobuf.parse(protoText(of), root, { keepCase: true }).root.lookupType('sample.Message0')
  return row => Buffer.from(type.encode(type.create(protoMessage(of, row))).finish())
}

function protoMessage(of: readonly SampleColumn[], row: SampleRow): Record<string, unknown> {
  const present = of.filter(({ name }) => (row[name] ?? null) !== null)
  return Object.fromEntries(present.map(({ name, type }) => [name, protoValue(type, row[name] ?? null)]))
}

function protoValue(type: SampleType, value: SampleValue): unknown {
  if (type.kind === 'struct' && isRow(value)) return protoMessage(type.fields, value)
  if (type.kind === 'list' && isList(value)) return value.map(each => protoValue(type.element, each))
  if (type.kind === 'map' && value instanceof Map) {
    return Object.fromEntries([...value].map(([key, each]) => [key, protoValue(type.value, each)]))
  }
  if (type.kind === 'timestamptz' && typeof value === 'bigint') {
    const microsOfSecond = ((value % 1_000_000n) + 1_000_000n) % 1_000_000n
    return { seconds: words((value - microsOfSecond) / 1_000_000n), nanos: Number(microsOfSecond) * 1000 }
  }
  return typeof value === 'bigint' ? words(value) : value
}

/** 64 bits as protobufjs takes them. */
const words = (value: bigint): object => ({
  low: Number(BigInt.asIntN(32, value)),
  high: Number(BigInt.asIntN(32, value >> 32n)),
  unsigned: false,
})

/** The row as Protobuf can say it. */
export function asProtobuf(of: readonly SampleColumn[], row: SampleRow): SampleRow {
  return Object.fromEntries(of.map(({ name, type }) => [name, withoutNulls(type, row[name] ?? null)]))
}

function withoutNulls(type: SampleType, value: SampleValue): SampleValue {
  if (type.kind === 'list') {
    return isList(value) ? value.flatMap(each => (each === null ? [] : [withoutNulls(type.element, each)])) : []
  }
  if (type.kind === 'map') {
    const entries = value instanceof Map ? [...value] : []
    return new Map(entries.flatMap(([key, each]) => (each === null ? [] : [[key, withoutNulls(type.value, each)]])))
  }
  return type.kind === 'struct' && value !== null && isRow(value) ? asProtobuf(type.fields, value) : value
}
