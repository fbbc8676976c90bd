/**
 * The part of Avro's schema language that Iceberg manifests use, and its JSON text.
 *
 * Iceberg's ids are attributes Avro does not know (`field-id`, `element-id`). Libraries drop them when they print a schema, so
 * the text in a file's header is printed here, from these objects, in their key order.
 *
 * source  Avro specification 1.11, "Schema Declaration"; Iceberg specification, appendix A
 */
import { FloeError } from '../../core/errors.ts'
import { JsonReader, type JsonValue, parseJson } from '../exact-json.ts'

export type AvroPrimitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

export interface AvroField {
  readonly name: string
  readonly type: AvroSchema
  readonly default?: null
  readonly 'field-id'?: number
  readonly 'iceberg-field-name'?: string
}
export interface AvroRecord {
  readonly type: 'record'
  readonly name: string
  readonly fields: readonly AvroField[]
}
export interface AvroArray {
  readonly type: 'array'
  readonly items: AvroSchema
  readonly 'element-id'?: number
  readonly logicalType?: string
}
export interface AvroFixed {
  readonly type: 'fixed'
  readonly name: string
  readonly size: number
  readonly logicalType?: string
  readonly precision?: number
  readonly scale?: number
}
/** A primitive with a meaning; a primitive without one is written bare, never wrapped in an object. */
export interface AvroLogical {
  readonly type: 'int' | 'long'
  readonly logicalType: string
  readonly 'adjust-to-utc'?: boolean
}
/** Unions exist only as `["null", T]`. */
export type AvroOptional = readonly ['null', AvroSchema]
export type AvroSchema = AvroPrimitive | AvroRecord | AvroArray | AvroFixed | AvroLogical | AvroOptional

export const printAvroSchema = (schema: AvroSchema): string => JSON.stringify(schema)

const primitiveNames: readonly string[] = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
const isPrimitiveName = (text: string): text is AvroPrimitive => primitiveNames.includes(text)
const avroSchemaDepthMax = 32
const avroFixedBytesMax = 1_024

/**
 * Parses a header's schema. Names defined once and referred to later are not supported: Iceberg files define each in place.
 *
 * errors  corrupt: not a schema of the kind above
 */
export function parseAvroSchema(text: string, what: string): AvroSchema {
  return convert(parseJson(text, `${what}: Avro schema`), `${what}: Avro schema`, 0)
}

function convert(value: JsonValue | undefined, what: string, depth: number): AvroSchema {
  const wrong = (problem: string): FloeError => new FloeError('corrupt', 'malformed-avro-schema', `${what} ${problem}`)
  if (depth > avroSchemaDepthMax) throw wrong(`is nested more than ${avroSchemaDepthMax} levels deep`)
  if (typeof value === 'string') {
    if (!isPrimitiveName(value)) throw wrong(`has the unknown type ${JSON.stringify(value)}`)
    return value
  }
  if (Array.isArray(value)) {
    const branches: readonly JsonValue[] = value
    if (branches.length !== 2 || branches[0] !== 'null') throw wrong('has a union other than ["null", T]')
    return ['null', convert(branches[1], what, depth + 1)]
  }
  const reader = new JsonReader(value, what)
  const attributes = { ...(value as object) }
  const type = reader.value('type')
  if (type === 'record') {
    const names = new Set<string>()
    const fields = reader.objects('fields').map(field => {
      const name = field.string('name')
      if (names.has(name)) throw wrong(`has the field ${JSON.stringify(name)} twice`)
      names.add(name)
      const id = field.has('field-id') ? { 'field-id': field.integer('field-id') } : {}
      return { name, type: convert(field.value('type'), `${what}.${name}`, depth + 1), ...id }
    })
    return { type: 'record', name: reader.string('name'), fields }
  }
  if (type === 'array')
    return { ...attributes, type: 'array', items: convert(reader.value('items'), `${what}[]`, depth + 1) }
  if (type === 'fixed') {
    const size = reader.integer('size')
    if (size < 0 || size > avroFixedBytesMax) throw wrong(`has a fixed type of ${size} bytes`)
    return { ...attributes, type: 'fixed', name: reader.string('name'), size }
  }
  if ((type === 'int' || type === 'long') && reader.has('logicalType')) {
    return { ...attributes, type, logicalType: reader.string('logicalType') }
  }
  if (typeof type === 'string' && isPrimitiveName(type)) return type
  throw wrong('has an unknown type')
}
