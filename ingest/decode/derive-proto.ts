/**
 * Columns from a Protobuf message. Columns are optional (a field may be dropped from a message at any time), except `required`
 * ones of proto2; elements and map values are never null.
 */
import type protobuf from 'protobufjs'
import { type Field, type FieldType, primitive } from '../../table/types.ts'
import { derivedDepthMax, IdCounter, refuseType } from './input-schema.ts'
import { type ProtoScalar, type ProtoValue, parseProtoSchema, readProtoValue } from './proto-schema.ts'

export function deriveFromProto(text: string, messageName: string | undefined): Field[] {
  const { type } = parseProtoSchema(text, messageName)
  return deriveFields(type, '', 1, new IdCounter())
}

function deriveFields(message: protobuf.Type, path: string, depth: number, ids: IdCounter): Field[] {
  if (message.fieldsArray.length === 0) throw refuseType(path, `message ${message.name} has no fields`)
  return message.fieldsArray.map(field => {
    const fieldPath = path === '' ? field.name : `${path}.${field.name}`
    const id = ids.next()
    const type = deriveField(field, fieldPath, depth, ids)
    const { comment } = field
    const doc = typeof comment === 'string' && comment !== '' ? { doc: comment } : {}
    return { id, name: field.name, required: field.required, type, ...doc }
  })
}

function deriveField(field: protobuf.Field, path: string, depth: number, ids: IdCounter): FieldType {
  if (depth > derivedDepthMax) throw refuseType(path, 'the message is recursive or nested too deeply')
  if (field.delimited) throw refuseType(path, 'groups are not served')
  const value = readProtoValue(field)
  if (field.map) {
    const keyId = ids.next()
    const valueId = ids.next()
    const valueType = deriveValue(value, `${path}.value`, depth + 1, ids)
    return { kind: 'map', keyId, key: primitive('string'), valueId, valueRequired: true, value: valueType }
  }
  if (!field.repeated) return deriveValue(value, path, depth, ids)
  const elementId = ids.next()
  const element = deriveValue(value, `${path}.element`, depth + 1, ids)
  return { kind: 'list', elementId, elementRequired: true, element }
}

function deriveValue(value: ProtoValue, path: string, depth: number, ids: IdCounter): FieldType {
  switch (value.kind) {
    case 'scalar':
    case 'wrapper':
      return deriveScalar(value.scalar)
    case 'enum':
      return primitive('string')
    case 'timestamp':
      return primitive('timestamptz')
    case 'message':
      return { kind: 'struct', fields: deriveFields(value.type, path, depth + 1, ids) }
  }
}

function deriveScalar(scalar: ProtoScalar): FieldType {
  switch (scalar) {
    case 'bool':
      return primitive('boolean')
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return primitive('int')
    case 'uint32':
    case 'fixed32':
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return primitive('long')
    case 'uint64':
    case 'fixed64':
      // The only exact type that holds 2^64 - 1.
      return { kind: 'decimal', precision: 20, scale: 0 }
    case 'bytes':
      return primitive('binary')
    default:
      return primitive(scalar)
  }
}
