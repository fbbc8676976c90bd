/**
 * Questions about schemas: walking, finding, comparing, printing and validating. Nothing here changes a schema; evolution is
 * the catalog's work.
 *
 * Order   every walk is depth first in declaration order. Leaves in that order are the columns of a Parquet file.
 * Paths   field names joined by `.`; list elements, map keys and map values are the segments `element`, `key`, `value`.
 *         Names hold no dot (validateSchema), so a path names at most one place.
 */
import { FloeError } from '../core/errors.ts'
import type { Field, FieldType, PrimitiveType, PrimitiveTypeName, Schema } from './types.ts'

/** Everything that has a field id, counted over all levels of one schema. */
export const schemaFieldCountMax = 2_000
/** Structs, lists and maps inside each other; a top-level column has depth 1. */
export const schemaNestingDepthMax = 16
export const fieldNameCharsMax = 255
/** Iceberg keeps 2147483447 and up for metadata columns (specification, "Reserved Field IDs"). */
export const reservedFieldIdBase = 2_147_483_447

/** A place in a schema that has an id: a field, a list element, a map key or a map value. */
export interface SchemaNode {
  readonly id: number
  /** Own name: the field's, or `element`, `key`, `value`. */
  readonly name: string
  readonly path: string
  readonly type: FieldType
  readonly required: boolean
  /** 1 for a top-level column. */
  readonly depth: number
  /** Under a list or a map: such places have no bounds and cannot be partition sources. */
  readonly insideRepeated: boolean
}

export interface SchemaLeaf extends SchemaNode {
  readonly type: PrimitiveType
}

type FieldList = { readonly fields: readonly Field[] }

/** Visits every node, parents before their children. */
export function walkSchema(schema: FieldList, visit: (node: SchemaNode) => void): void {
  for (const field of schema.fields) {
    visitNode(field.id, field.name, field.name, field.type, field.required, 1, false, visit)
  }
}

function visitNode(
  id: number,
  name: string,
  path: string,
  type: FieldType,
  required: boolean,
  depth: number,
  insideRepeated: boolean,
  visit: (node: SchemaNode) => void,
): void {
  visit({ id, name, path, type, required, depth, insideRepeated })
  switch (type.kind) {
    case 'struct':
      for (const field of type.fields) {
        const childPath = `${path}.${field.name}`
        visitNode(field.id, field.name, childPath, field.type, field.required, depth + 1, insideRepeated, visit)
      }
      return
    case 'list':
      visitNode(
        type.elementId,
        'element',
        `${path}.element`,
        type.element,
        type.elementRequired,
        depth + 1,
        true,
        visit,
      )
      return
    case 'map':
      visitNode(type.keyId, 'key', `${path}.key`, type.key, true, depth + 1, true, visit)
      visitNode(type.valueId, 'value', `${path}.value`, type.value, type.valueRequired, depth + 1, true, visit)
      return
  }
}

export function isPrimitive(type: FieldType): type is PrimitiveType {
  return type.kind === 'primitive' || type.kind === 'decimal'
}

/** The primitive places in Parquet column order. */
export function listLeaves(schema: FieldList): SchemaLeaf[] {
  const leaves: SchemaLeaf[] = []
  walkSchema(schema, node => {
    if (isPrimitive(node.type)) leaves.push({ ...node, type: node.type })
  })
  return leaves
}

export function findNodeById(schema: FieldList, id: number): SchemaNode | undefined {
  let found: SchemaNode | undefined
  walkSchema(schema, node => {
    if (node.id === id) found ??= node
  })
  return found
}

/** For example `profile.country`, `tags.element`. */
export function findNodeByPath(schema: FieldList, path: string): SchemaNode | undefined {
  let found: SchemaNode | undefined
  walkSchema(schema, node => {
    if (node.path === path) found ??= node
  })
  return found
}

/** errors  internal: there is no such schema */
export function requireSchema(schemas: readonly Schema[], schemaId: number): Schema {
  const schema = schemas.find(candidate => candidate.schemaId === schemaId)
  if (schema === undefined)
    throw new FloeError('internal', 'schema-unknown', `there is no schema ${schemaId}`, { schemaId })
  return schema
}

/** A top-level column by its exact name. */
export function findColumn(schema: FieldList, name: string): Field | undefined {
  return schema.fields.find(field => field.name === name)
}

/** The highest id in any of the schemas, nested ones included; 0 when there are none (Iceberg `last-column-id`). */
export function findLastColumnId(schemas: readonly FieldList[]): number {
  let last = 0
  for (const schema of schemas) {
    walkSchema(schema, node => {
      if (node.id > last) last = node.id
    })
  }
  return last
}

/** Same types, ids, names and nullability all the way down; `doc` does not count. */
export function typesEqual(a: FieldType, b: FieldType): boolean {
  switch (a.kind) {
    case 'primitive':
      return b.kind === 'primitive' && a.name === b.name
    case 'decimal':
      return b.kind === 'decimal' && a.precision === b.precision && a.scale === b.scale
    case 'struct':
      return b.kind === 'struct' && fieldsEqual(a.fields, b.fields)
    case 'list':
      return (
        b.kind === 'list' &&
        a.elementId === b.elementId &&
        a.elementRequired === b.elementRequired &&
        typesEqual(a.element, b.element)
      )
    case 'map':
      return (
        b.kind === 'map' &&
        a.keyId === b.keyId &&
        a.valueId === b.valueId &&
        a.valueRequired === b.valueRequired &&
        typesEqual(a.key, b.key) &&
        typesEqual(a.value, b.value)
      )
  }
}

export function fieldsEqual(a: readonly Field[], b: readonly Field[]): boolean {
  if (a.length !== b.length) return false
  for (const [index, left] of a.entries()) {
    const right = b[index]!
    if (left.id !== right.id || left.name !== right.name || left.required !== right.required) return false
    if (!typesEqual(left.type, right.type)) return false
  }
  return true
}

/** As in Iceberg schema JSON where that is text (`decimal(9,2)`); nested types in the form `struct<a: int, b: list<string>>`. */
export function formatType(type: FieldType): string {
  switch (type.kind) {
    case 'primitive':
      return type.name
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'struct':
      return `struct<${type.fields.map(field => `${field.name}: ${formatType(field.type)}`).join(', ')}>`
    case 'list':
      return `list<${formatType(type.element)}>`
    case 'map':
      return `map<${formatType(type.key)}, ${formatType(type.value)}>`
  }
}

const primitiveNames = {
  boolean: true,
  int: true,
  long: true,
  float: true,
  double: true,
  date: true,
  timestamp: true,
  timestamptz: true,
  string: true,
  binary: true,
} as const satisfies Record<PrimitiveTypeName, true>

const isPrimitiveName = (text: string): text is PrimitiveTypeName => Object.hasOwn(primitiveNames, text)

/** The inverse of formatType for primitive types; undefined for anything else. */
export function parsePrimitiveType(text: string): PrimitiveType | undefined {
  if (isPrimitiveName(text)) return { kind: 'primitive', name: text }
  const decimal = /^decimal\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text)
  if (decimal === null) return undefined
  return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
}

/**
 * Refuses what some reader of the portable profile could not take.
 *
 * errors  invalid, naming the path: ids not unique or out of range, names empty, repeated when case is ignored or with
 *         characters that Spark refuses in Delta and Parquet columns, decimals out of range, map keys other than string,
 *         structs without fields, too deep, too many fields
 */
export function validateSchema(schema: Schema): void {
  const pathOfId = new Map<number, string>()
  let nodeCount = 0
  checkNames(schema.fields, '')
  // Depth is checked before the walk: the walk itself recurses.
  for (const field of schema.fields) checkDepth(field.type, field.name, 1)
  walkSchema(schema, node => {
    nodeCount++
    if (nodeCount > schemaFieldCountMax) {
      throw invalid('schema-too-wide', node.path, `the schema has more than ${schemaFieldCountMax} fields`)
    }
    if (!Number.isInteger(node.id) || node.id < 1 || node.id >= reservedFieldIdBase) {
      throw invalid(
        'field-id-range',
        node.path,
        `field id ${node.id} is not a whole number from 1 to ${reservedFieldIdBase - 1}`,
      )
    }
    const other = pathOfId.get(node.id)
    if (other !== undefined) {
      throw invalid('field-id-repeated', node.path, `field id ${node.id} is already used by ${JSON.stringify(other)}`)
    }
    pathOfId.set(node.id, node.path)
    checkType(node)
  })
}

function checkType(node: SchemaNode): void {
  const { type, path } = node
  if (type.kind === 'decimal') {
    const { precision, scale } = type
    if (!Number.isInteger(precision) || precision < 1 || precision > 38) {
      throw invalid('decimal-range', path, `decimal precision ${precision} is not from 1 to 38`)
    }
    if (!Number.isInteger(scale) || scale < 0 || scale > precision) {
      throw invalid('decimal-range', path, `decimal scale ${scale} is not from 0 to the precision ${precision}`)
    }
  }
  if (type.kind === 'struct') {
    if (type.fields.length === 0) throw invalid('struct-empty', path, 'a struct needs at least one field')
    checkNames(type.fields, `${path}.`)
  }
  if (type.kind === 'map' && !(type.key.kind === 'primitive' && type.key.name === 'string')) {
    throw invalid('map-key-type', path, `map keys must be string, not ${formatType(type.key)}`)
  }
}

function checkDepth(type: FieldType, path: string, depth: number): void {
  if (depth > schemaNestingDepthMax) {
    throw invalid('schema-too-deep', path, `types are nested more than ${schemaNestingDepthMax} levels deep`)
  }
  if (type.kind === 'struct')
    for (const field of type.fields) checkDepth(field.type, `${path}.${field.name}`, depth + 1)
  if (type.kind === 'list') checkDepth(type.element, `${path}.element`, depth + 1)
  if (type.kind === 'map') checkDepth(type.value, `${path}.value`, depth + 1)
}

/** Spark refuses ` ,;{}()\n\t=` in column names without column mapping; the dot is our path separator, the backtick Spark's quote. */
const refusedNameCharacter = /[ ,;{}()=.`\p{Cc}\p{Cs}]/u

function checkNames(fields: readonly Field[], prefix: string): void {
  const seen = new Map<string, string>()
  for (const { name } of fields) {
    const path = `${prefix}${name}`
    if (name === '') throw invalid('field-name-empty', path, 'a field name is empty')
    if (name.length > fieldNameCharsMax) {
      throw invalid('field-name-long', path, `the name is longer than ${fieldNameCharsMax} characters`)
    }
    const refused = refusedNameCharacter.exec(name)
    if (refused !== null) {
      throw invalid(
        'field-name-character',
        path,
        `the name holds ${JSON.stringify(refused[0])}, which some readers refuse`,
      )
    }
    const folded = name.toLowerCase()
    const other = seen.get(folded)
    if (other !== undefined) {
      throw invalid(
        'field-name-repeated',
        path,
        `the name differs from its neighbour ${JSON.stringify(other)} at most in upper and lower case`,
      )
    }
    seen.set(folded, name)
  }
}

function invalid(code: string, path: string, problem: string): FloeError {
  return new FloeError('invalid', code, `field ${JSON.stringify(path)}: ${problem}`, { field: path })
}
