/**
 * Avro schemas (.avsc documents) as trees, and the one that describes a table's own columns.
 *
 * Named types may be used before and inside themselves: such references share the node, so the tree can have cycles. Whoever
 * walks it bounds the depth.
 *
 * source  Apache Avro 1.12 specification, "Schema Declaration", "Names", "Logical Types"
 */
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { Field, FieldType } from '../../table/types.ts'

export type AvroPrimitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

/** `logical` holds only logical types that are valid for the type; others are ignored, as the specification says. */
export type AvroType =
  | { readonly kind: AvroPrimitive; readonly logical: AvroLogical | undefined }
  | { readonly kind: 'fixed'; readonly size: number; readonly logical: AvroLogical | undefined }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: AvroType }
  | { readonly kind: 'map'; readonly values: AvroType }
  | AvroRecord
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }

export interface AvroRecord {
  readonly kind: 'record'
  readonly name: string
  readonly fields: AvroField[]
}
export interface AvroField {
  readonly name: string
  readonly type: AvroType
  readonly doc: string | undefined
}

export type AvroLogical =
  | { readonly name: 'decimal'; readonly precision: number; readonly scale: number }
  | {
      readonly name:
        | 'date'
        | 'timestamp-millis'
        | 'timestamp-micros'
        | 'timestamp-nanos'
        | 'local-timestamp-millis'
        | 'local-timestamp-micros'
        | 'local-timestamp-nanos'
        | 'uuid'
    }

const primitives = new Set<string>(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'])
const isPrimitiveName = (text: string): text is AvroPrimitive => primitives.has(text)
const namePattern = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/
const schemaDepthMax = 64
const fixedBytesMax = 1024 * 1024

/** Logical types by the type they may annotate. */
const logicalNames: Readonly<Record<string, readonly string[]>> = {
  int: ['date'],
  long: [
    'timestamp-millis',
    'timestamp-micros',
    'timestamp-nanos',
    'local-timestamp-millis',
    'local-timestamp-micros',
    'local-timestamp-nanos',
  ],
  string: ['uuid'],
  fixed: ['decimal', 'uuid'],
  bytes: ['decimal'],
}

/**
 * errors  invalid, with the place in the document: not JSON, not a schema, a name that is not defined
 */
export function parseAvroSchema(text: string): AvroType {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw invalid('', `not JSON: ${errorMessage(error)}`)
  }
  return new AvroSchemaParser().parse(document, '', '', 0)
}

type JsonObject = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

class AvroSchemaParser {
  readonly #named = new Map<string, AvroType>()

  parse(schema: unknown, namespace: string, path: string, depth: number): AvroType {
    if (depth > schemaDepthMax) throw invalid(path, `types are nested more than ${schemaDepthMax} levels deep`)
    if (typeof schema === 'string') return this.#refer(schema, namespace, path)
    if (Array.isArray(schema)) {
      const branches = schema.map((branch: unknown, index) =>
        this.parse(branch, namespace, `${path}[${index}]`, depth + 1),
      )
      if (branches.some(branch => branch.kind === 'union')) throw invalid(path, 'a union directly inside a union')
      if (branches.length === 0) throw invalid(path, 'a union without branches')
      return { kind: 'union', branches }
    }
    if (!isObject(schema)) throw invalid(path, 'a type must be a name, an object or a union')
    const { type } = schema
    if (typeof type !== 'string') return this.parse(type, namespace, path, depth + 1)
    switch (type) {
      case 'record':
      case 'error':
        return this.#parseRecord(schema, namespace, path, depth)
      case 'enum':
        return this.#parseEnum(schema, namespace, path)
      case 'fixed':
        return this.#parseFixed(schema, namespace, path)
      case 'array':
        return { kind: 'array', items: this.parse(schema.items, namespace, `${path}.items`, depth + 1) }
      case 'map':
        return { kind: 'map', values: this.parse(schema.values, namespace, `${path}.values`, depth + 1) }
      default:
        if (isPrimitiveName(type)) return { kind: type, logical: readLogical(schema, type) }
        return this.#refer(type, namespace, path)
    }
  }

  #refer(name: string, namespace: string, path: string): AvroType {
    if (isPrimitiveName(name)) return { kind: name, logical: undefined }
    const type = this.#named.get(qualify(name, namespace)) ?? this.#named.get(name)
    if (type === undefined) throw invalid(path, `type ${JSON.stringify(name)} is not defined`)
    return type
  }

  #define(schema: JsonObject, namespace: string, path: string, type: AvroType): void {
    const fullName = readFullName(schema, namespace, path)
    if (this.#named.has(fullName)) throw invalid(path, `type ${JSON.stringify(fullName)} is defined twice`)
    this.#named.set(fullName, type)
  }

  #parseRecord(schema: JsonObject, namespace: string, path: string, depth: number): AvroType {
    const fullName = readFullName(schema, namespace, path)
    const record: AvroRecord = { kind: 'record', name: fullName, fields: [] }
    this.#define(schema, namespace, path, record)
    const inner = fullName.includes('.') ? fullName.slice(0, fullName.lastIndexOf('.')) : ''
    if (!Array.isArray(schema.fields)) throw invalid(path, 'a record needs fields')
    for (const [index, field] of schema.fields.entries()) {
      if (!isObject(field) || typeof field.name !== 'string') {
        throw invalid(`${path}.fields[${index}]`, 'a field needs a name')
      }
      const { name, doc } = field
      const fieldPath = path === '' ? name : `${path}.${name}`
      if (record.fields.some(other => other.name === name)) throw invalid(fieldPath, 'the field stands there twice')
      const type = this.parse(field.type, inner, fieldPath, depth + 1)
      record.fields.push({ name, type, doc: typeof doc === 'string' ? doc : undefined })
    }
    return record
  }

  #parseEnum(schema: JsonObject, namespace: string, path: string): AvroType {
    const { symbols } = schema
    const isText = (symbol: unknown): symbol is string => typeof symbol === 'string'
    if (!Array.isArray(symbols) || symbols.length === 0 || !symbols.every(isText)) {
      throw invalid(path, 'an enum needs symbols')
    }
    const type: AvroType = { kind: 'enum', symbols }
    this.#define(schema, namespace, path, type)
    return type
  }

  #parseFixed(schema: JsonObject, namespace: string, path: string): AvroType {
    const { size } = schema
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > fixedBytesMax) {
      throw invalid(path, `a fixed needs a size from 0 to ${fixedBytesMax}`)
    }
    const type: AvroType = { kind: 'fixed', size, logical: readLogical(schema, 'fixed') }
    this.#define(schema, namespace, path, type)
    return type
  }
}

function readFullName(schema: JsonObject, namespace: string, path: string): string {
  const { name } = schema
  if (typeof name !== 'string' || !namePattern.test(name))
    throw invalid(path, `${String(schema.type)} needs a valid name`)
  return qualify(name, typeof schema.namespace === 'string' ? schema.namespace : namespace)
}

const qualify = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`

function readLogical(schema: JsonObject, type: string): AvroLogical | undefined {
  const { logicalType, precision, scale = 0 } = schema
  if (typeof logicalType !== 'string' || logicalNames[type]?.includes(logicalType) !== true) return undefined
  if (logicalType !== 'decimal') return { name: logicalType } as AvroLogical
  if (typeof precision !== 'number' || typeof scale !== 'number') return undefined
  if (!Number.isInteger(precision) || !Number.isInteger(scale) || precision < 1 || scale < 0 || scale > precision) {
    return undefined
  }
  return { name: 'decimal', precision, scale }
}

/** The .avsc of records that have exactly these columns: what producers of an inline-schema Avro table must write. */
export function formatAvroSchema(fields: readonly Field[]): string {
  return JSON.stringify(createRecord(fields, 'record'))
}

function createRecord(fields: readonly Field[], name: string): unknown {
  return {
    type: 'record',
    name,
    fields: fields.map(field => {
      const type = createType(field.type, `${name}_${field.name}`)
      return field.required ? { name: field.name, type } : { name: field.name, type: ['null', type], default: null }
    }),
  }
}

function createType(type: FieldType, name: string): unknown {
  switch (type.kind) {
    case 'decimal':
      return { type: 'bytes', logicalType: 'decimal', precision: type.precision, scale: type.scale }
    case 'struct':
      return createRecord(type.fields, name)
    case 'list': {
      const element = createType(type.element, `${name}_element`)
      return { type: 'array', items: type.elementRequired ? element : ['null', element] }
    }
    case 'map': {
      const value = createType(type.value, `${name}_value`)
      return { type: 'map', values: type.valueRequired ? value : ['null', value] }
    }
    case 'primitive':
      switch (type.name) {
        case 'date':
          return { type: 'int', logicalType: 'date' }
        case 'timestamp':
          return { type: 'long', logicalType: 'local-timestamp-micros' }
        case 'timestamptz':
          return { type: 'long', logicalType: 'timestamp-micros' }
        case 'binary':
          return 'bytes'
        default:
          return type.name
      }
  }
}

function invalid(path: string, problem: string): FloeError {
  const place = path === '' ? '' : ` at ${path}`
  return new FloeError('invalid', 'avro-schema-invalid', `Avro schema${place}: ${problem}`, { path })
}
