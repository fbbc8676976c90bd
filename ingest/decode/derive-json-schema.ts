/**
 * Columns from a JSON Schema (draft-07 and 2020-12 alike, as far as it describes shape): properties listed in `required` that
 * cannot be null are required columns.
 *
 *   integer                long; format int32: int          array                 list of items
 *   number                 double; format float: float      object                struct of properties
 *   string                 string; format date, date-time   object without them   map of additionalProperties, else JSON text
 *   contentEncoding base64 binary                           enum, const           the type of its values
 *
 * `null` in a type list, or as a branch of anyOf or oneOf, makes a column optional. References are followed inside the document.
 */
import { errorMessage } from '../../core/errors.ts'
import { type Field, type FieldType, primitive } from '../../table/types.ts'
import { derivedDepthMax, IdCounter, refuseType } from './input-schema.ts'

type JsonObject = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function deriveFromJsonSchema(text: string): Field[] {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw refuseType('', `the JSON Schema is not JSON: ${errorMessage(error)}`)
  }
  if (!isObject(document)) throw refuseType('', 'a JSON Schema must be an object')
  return new JsonSchemaReader(document).readRoot()
}

interface Shape {
  readonly schema: JsonObject
  /** Of the value without null; undefined: any. */
  readonly type: string | undefined
  readonly isNullable: boolean
}

class JsonSchemaReader {
  readonly #document: JsonObject
  readonly #ids = new IdCounter()

  constructor(document: JsonObject) {
    this.#document = document
  }

  readRoot(): Field[] {
    const { schema } = this.#shape(this.#document, '')
    if (!isObject(schema.properties)) throw refuseType('', 'the JSON Schema must be of an object with properties')
    return this.#readFields(schema, '', 1)
  }

  #readFields(schema: JsonObject, path: string, depth: number): Field[] {
    const properties = isObject(schema.properties) ? schema.properties : {}
    const requiredNames = new Set<unknown>(Array.isArray(schema.required) ? schema.required : [])
    return Object.entries(properties).map(([name, property]) => {
      const fieldPath = path === '' ? name : `${path}.${name}`
      const id = this.#ids.next()
      const shape = this.#shape(property, fieldPath)
      const type = this.#readType(shape, fieldPath, depth)
      const { description } = shape.schema
      const doc = typeof description === 'string' ? { doc: description } : {}
      return { id, name, required: requiredNames.has(name) && !shape.isNullable, type, ...doc }
    })
  }

  /** The schema behind references and behind unions with null. */
  #shape(schema: unknown, path: string, hops = 0): Shape {
    if (schema === true) return { schema: {}, type: undefined, isNullable: true }
    if (!isObject(schema)) throw refuseType(path, 'a schema must be an object')
    if (hops > derivedDepthMax) throw refuseType(path, 'references go in a circle')
    if (typeof schema.$ref === 'string') return this.#shape(this.#resolve(schema.$ref, path), path, hops + 1)
    const branches = schema.anyOf ?? schema.oneOf
    if (Array.isArray(branches)) {
      const values = branches.filter((branch: unknown) => !(isObject(branch) && branch.type === 'null'))
      if (values.length !== 1) throw refuseType(path, 'anyOf and oneOf are served only for null and one other type')
      const shape = this.#shape(values[0], path, hops + 1)
      return values.length < branches.length ? { ...shape, isNullable: true } : shape
    }
    if (Array.isArray(schema.allOf) && schema.allOf.length === 1) return this.#shape(schema.allOf[0], path, hops + 1)
    const types: unknown[] = Array.isArray(schema.type) ? schema.type : schema.type === undefined ? [] : [schema.type]
    const values = types.filter(type => type !== 'null')
    if (values.length > 1) throw refuseType(path, `a value of types ${values.join(', ')} is no column`)
    const [type] = values
    if (types.length > 0 && values.length === 0) throw refuseType(path, 'a field that is always null is no column')
    const named = typeof type === 'string' ? type : typeOfValues(schema)
    return { schema, type: named, isNullable: values.length < types.length }
  }

  #resolve(reference: string, path: string): unknown {
    if (!reference.startsWith('#')) throw refuseType(path, `reference ${reference} leads outside the document`)
    let target: unknown = this.#document
    for (const part of reference.slice(1).split('/').slice(1)) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
      if (!isObject(target) || !Object.hasOwn(target, key))
        throw refuseType(path, `reference ${reference} leads nowhere`)
      target = target[key]
    }
    return target
  }

  #readType({ schema, type }: Shape, path: string, depth: number): FieldType {
    if (depth > derivedDepthMax) throw refuseType(path, 'the type is recursive or nested too deeply')
    switch (type) {
      case 'boolean':
        return primitive('boolean')
      case 'integer':
        return primitive(schema.format === 'int32' ? 'int' : 'long')
      case 'number':
        return primitive(schema.format === 'float' ? 'float' : 'double')
      case 'string':
        if (schema.contentEncoding === 'base64') return primitive('binary')
        if (schema.format === 'date') return primitive('date')
        return primitive(schema.format === 'date-time' ? 'timestamptz' : 'string')
      case 'array':
        return this.#readList(schema, path, depth)
      case 'object':
        return this.#readObject(schema, path, depth)
      case undefined:
        if (isObject(schema.properties)) return this.#readObject(schema, path, depth)
        // Anything: kept as JSON text.
        return primitive('string')
      default:
        throw refuseType(path, `type ${JSON.stringify(type)} is not known`)
    }
  }

  #readList(schema: JsonObject, path: string, depth: number): FieldType {
    const elementId = this.#ids.next()
    const shape = this.#shape(schema.items ?? true, `${path}.element`)
    const element = this.#readType(shape, `${path}.element`, depth + 1)
    return { kind: 'list', elementId, elementRequired: !shape.isNullable, element }
  }

  #readObject(schema: JsonObject, path: string, depth: number): FieldType {
    if (isObject(schema.properties) && Object.keys(schema.properties).length > 0) {
      return { kind: 'struct', fields: this.#readFields(schema, path, depth + 1) }
    }
    if (!isObject(schema.additionalProperties)) return primitive('string')
    const keyId = this.#ids.next()
    const valueId = this.#ids.next()
    const shape = this.#shape(schema.additionalProperties, `${path}.value`)
    const value = this.#readType(shape, `${path}.value`, depth + 1)
    return { kind: 'map', keyId, key: primitive('string'), valueId, valueRequired: !shape.isNullable, value }
  }
}

/** The common type of `enum` or `const`, undefined when there is none. */
function typeOfValues(schema: JsonObject): string | undefined {
  const values: unknown[] = Array.isArray(schema.enum) ? schema.enum : 'const' in schema ? [schema.const] : []
  const kinds = new Set(values.map(value => typeof value))
  if (kinds.size !== 1) return undefined
  const [kind] = kinds
  if (kind === 'string' || kind === 'boolean') return kind
  if (kind !== 'number') return undefined
  return values.every(value => Number.isSafeInteger(value)) ? 'integer' : 'number'
}
