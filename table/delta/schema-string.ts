/**
 * The table schema as Spark writes it into Delta's metaData: JSON text inside a JSON string.
 *
 *   int -> integer   timestamptz -> timestamp   timestamp -> timestamp_ntz   list -> array   required -> nullable: false
 *
 * source  Delta protocol, "Schema Serialization Format"; docs/types.md
 */
import { type JsonObject, type JsonValue, printJson } from '../exact-json.ts'
import { formatType, walkSchema } from '../schema.ts'
import type { Field, FieldType, PrimitiveTypeName, Schema } from '../types.ts'

const primitiveNames: Readonly<Record<PrimitiveTypeName, string>> = {
  boolean: 'boolean',
  int: 'integer',
  long: 'long',
  float: 'float',
  double: 'double',
  date: 'date',
  timestamp: 'timestamp_ntz',
  timestamptz: 'timestamp',
  string: 'string',
  binary: 'binary',
}

export function buildSchemaString(schema: Schema): string {
  return printJson(toStructJson(schema.fields))
}

const toStructJson = (fields: readonly Field[]): JsonObject => ({
  type: 'struct',
  fields: fields.map(field => ({
    name: field.name,
    type: toTypeJson(field.type),
    nullable: !field.required,
    metadata: field.doc === undefined ? {} : { comment: field.doc },
  })),
})

function toTypeJson(type: FieldType): JsonValue {
  switch (type.kind) {
    case 'primitive':
      return primitiveNames[type.name]
    case 'decimal':
      return formatType(type)
    case 'struct':
      return toStructJson(type.fields)
    case 'list':
      return { type: 'array', elementType: toTypeJson(type.element), containsNull: !type.elementRequired }
    case 'map':
      return {
        type: 'map',
        keyType: toTypeJson(type.key),
        valueType: toTypeJson(type.value),
        valueContainsNull: !type.valueRequired,
      }
  }
}

/** Whether some place of the schema has a type that only tables with the timestampNtz feature may hold. */
export function hasTimestampWithoutZone(schema: Schema): boolean {
  let found = false
  walkSchema(schema, ({ type }) => {
    if (type.kind === 'primitive' && type.name === 'timestamp') found = true
  })
  return found
}
