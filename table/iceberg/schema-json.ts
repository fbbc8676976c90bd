/**
 * Schemas and partition specs as Iceberg's JSON, in metadata.json and in manifest headers.
 *
 * source  Iceberg specification, appendix C "Schemas" and "Partition Specs"
 */
import { FloeError } from '../../core/errors.ts'
import { type JsonObject, JsonReader, type JsonValue } from '../exact-json.ts'
import { formatType, isPrimitive, parsePrimitiveType, schemaNestingDepthMax } from '../schema.ts'
import type { Field, FieldType, PartitionField, PartitionSpec, Schema, Transform } from '../types.ts'

export function toSchemaJson(schema: Schema): JsonObject {
  return { type: 'struct', 'schema-id': schema.schemaId, fields: schema.fields.map(toFieldJson) }
}

function toFieldJson(field: Field): JsonObject {
  return { id: field.id, name: field.name, required: field.required, type: toTypeJson(field.type), doc: field.doc }
}

function toTypeJson(type: FieldType): JsonValue {
  switch (type.kind) {
    case 'primitive':
    case 'decimal':
      return formatType(type)
    case 'struct':
      return { type: 'struct', fields: type.fields.map(toFieldJson) }
    case 'list':
      return {
        type: 'list',
        'element-id': type.elementId,
        element: toTypeJson(type.element),
        'element-required': type.elementRequired,
      }
    case 'map':
      return {
        type: 'map',
        'key-id': type.keyId,
        key: toTypeJson(type.key),
        'value-id': type.valueId,
        value: toTypeJson(type.value),
        'value-required': type.valueRequired,
      }
  }
}

/** errors  corrupt: not a schema of the portable profile */
export function parseSchemaJson(reader: JsonReader): Schema {
  return { schemaId: reader.integer('schema-id'), fields: parseFields(reader, 0) }
}

function parseFields(reader: JsonReader, depth: number): Field[] {
  return reader.objects('fields').map(field => {
    const doc = field.has('doc') ? { doc: field.string('doc') } : {}
    return {
      id: field.integer('id'),
      name: field.string('name'),
      required: field.boolean('required'),
      type: parseType(field.value('type'), field.path('type'), depth + 1),
      ...doc,
    }
  })
}

function parseType(value: JsonValue | undefined, what: string, depth: number): FieldType {
  if (depth > schemaNestingDepthMax + 1) throw malformed(what, 'is nested too deep')
  if (typeof value === 'string') {
    const type = parsePrimitiveType(value)
    if (type === undefined) throw malformed(what, `is the unknown type ${JSON.stringify(value)}`)
    return type
  }
  const reader = new JsonReader(value, what)
  switch (reader.string('type')) {
    case 'struct':
      return { kind: 'struct', fields: parseFields(reader, depth) }
    case 'list':
      return {
        kind: 'list',
        elementId: reader.integer('element-id'),
        elementRequired: reader.boolean('element-required'),
        element: parseType(reader.value('element'), reader.path('element'), depth + 1),
      }
    case 'map': {
      const key = parseType(reader.value('key'), reader.path('key'), depth + 1)
      if (!isPrimitive(key)) throw malformed(reader.path('key'), 'is not a primitive type')
      return {
        kind: 'map',
        keyId: reader.integer('key-id'),
        key,
        valueId: reader.integer('value-id'),
        valueRequired: reader.boolean('value-required'),
        value: parseType(reader.value('value'), reader.path('value'), depth + 1),
      }
    }
  }
  throw malformed(what, 'is an unknown type')
}

const malformed = (what: string, problem: string): FloeError =>
  new FloeError('corrupt', 'malformed-metadata', `${what} ${problem}`)

/** The array that stands alone in manifest headers. */
export function toSpecFieldsJson(spec: PartitionSpec): JsonObject[] {
  return spec.fields.map(field => ({
    'source-id': field.sourceId,
    'field-id': field.fieldId,
    name: field.name,
    transform: field.transform,
  }))
}

export function toSpecJson(spec: PartitionSpec): JsonObject {
  return { 'spec-id': spec.specId, fields: toSpecFieldsJson(spec) }
}

export function parseSpecJson(reader: JsonReader): PartitionSpec {
  return { specId: reader.integer('spec-id'), fields: reader.objects('fields').map(parseSpecField) }
}

export function parseSpecField(reader: JsonReader): PartitionField {
  const transform = reader.string('transform')
  if (!isTransform(transform)) throw malformed(reader.path('transform'), `is the unknown transform ${transform}`)
  return {
    sourceId: reader.integer('source-id'),
    fieldId: reader.integer('field-id'),
    name: reader.string('name'),
    transform,
  }
}

const isTransform = (text: string): text is Transform => text === 'identity' || text === 'day' || text === 'hour'
