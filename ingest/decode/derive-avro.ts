/** Columns from an Avro record schema: `["null", T]` is optional, everything else required. */
import { type Field, type FieldType, primitive } from '../../table/types.ts'
import { type AvroRecord, type AvroType, parseAvroSchema } from './avro-schema.ts'
import { derivedDepthMax, IdCounter, refuseType } from './input-schema.ts'

export function deriveFromAvro(text: string): Field[] {
  const type = parseAvroSchema(text)
  if (type.kind !== 'record') throw refuseType('', `the Avro schema is ${type.kind}; it must be a record`)
  return deriveFields(type, '', 1, new IdCounter())
}

function deriveFields(record: AvroRecord, path: string, depth: number, ids: IdCounter): Field[] {
  return record.fields.map(({ name, type, doc }) => {
    const fieldPath = path === '' ? name : `${path}.${name}`
    const id = ids.next()
    const { value, required } = splitNull(type, fieldPath)
    const fieldType = deriveType(value, fieldPath, depth, ids)
    return { id, name, required, type: fieldType, ...(doc === undefined ? {} : { doc }) }
  })
}

function splitNull(type: AvroType, path: string): { value: AvroType; required: boolean } {
  if (type.kind !== 'union') return { value: type, required: true }
  const values = type.branches.filter(branch => branch.kind !== 'null')
  if (values.length !== 1) {
    const kinds = type.branches.map(branch => branch.kind).join(', ')
    throw refuseType(path, `a union of ${kinds} is no column; only null and one other type are`)
  }
  return { value: values[0]!, required: values.length === type.branches.length }
}

function deriveType(type: AvroType, path: string, depth: number, ids: IdCounter): FieldType {
  if (depth > derivedDepthMax) throw refuseType(path, 'the type is recursive or nested too deeply')
  switch (type.kind) {
    case 'record':
      return { kind: 'struct', fields: deriveFields(type, path, depth + 1, ids) }
    case 'array': {
      const elementId = ids.next()
      const { value, required } = splitNull(type.items, `${path}.element`)
      const element = deriveType(value, `${path}.element`, depth + 1, ids)
      return { kind: 'list', elementId, elementRequired: required, element }
    }
    case 'map': {
      const keyId = ids.next()
      const valueId = ids.next()
      const { value, required } = splitNull(type.values, `${path}.value`)
      const valueType = deriveType(value, `${path}.value`, depth + 1, ids)
      return { kind: 'map', keyId, key: primitive('string'), valueId, valueRequired: required, value: valueType }
    }
    case 'enum':
      return primitive('string')
    case 'union':
      throw refuseType(path, 'a union directly inside a union')
    case 'null':
      throw refuseType(path, 'a field that is always null is no column')
    default:
      return deriveScalar(type)
  }
}

function deriveScalar(type: Exclude<AvroType, { kind: 'record' | 'array' | 'map' | 'enum' | 'union' }>): FieldType {
  const { logical } = type
  if (logical?.name === 'decimal' && logical.precision <= 38) {
    return { kind: 'decimal', precision: logical.precision, scale: logical.scale }
  }
  switch (type.kind) {
    case 'int':
      return primitive(logical?.name === 'date' ? 'date' : 'int')
    case 'long':
      if (logical?.name.startsWith('timestamp-') === true) return primitive('timestamptz')
      return primitive(logical?.name.startsWith('local-timestamp-') === true ? 'timestamp' : 'long')
    case 'bytes':
      return primitive('binary')
    case 'fixed':
      return primitive(logical?.name === 'uuid' && type.size === 16 ? 'string' : 'binary')
    case 'null':
      throw new TypeError('null is no scalar')
    default:
      return primitive(type.kind)
  }
}
