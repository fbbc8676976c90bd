/** The Parquet schema of a table: one tree flattened depth first, with the field id on every column, element, key and value. */
import { countDecimalBytes } from '../single-value.ts'
import type { Field, FieldType, PrimitiveType } from '../types.ts'
import { ThriftStruct } from './thrift.ts'

export const physicalType = { boolean: 0, int32: 1, int64: 2, float: 4, double: 5, byteArray: 6, fixed: 7 } as const
const repetition = { required: 0, optional: 1, repeated: 2 } as const
const convertedType = { utf8: 0, map: 1, list: 3, decimal: 5, date: 6, timestampMicros: 10 } as const
const elementField = {
  type: 1,
  typeLength: 2,
  repetition: 3,
  name: 4,
  numChildren: 5,
  convertedType: 6,
  scale: 7,
  precision: 8,
  fieldId: 9,
  logicalType: 10,
} as const
/** Members of the LogicalType union. */
const logicalType = { string: 1, map: 2, list: 3, decimal: 5, date: 6, timestamp: 8 } as const
const microsUnit = 2

export function createSchemaElements(fields: readonly Field[]): ThriftStruct[] {
  const root = new ThriftStruct().setText(elementField.name, 'table').setInt32(elementField.numChildren, fields.length)
  const elements = [root]
  for (const field of fields) addElement(elements, field.id, field.name, field.required, field.type)
  return elements
}

function addElement(elements: ThriftStruct[], id: number, name: string, required: boolean, type: FieldType): void {
  const element = new ThriftStruct()
    .setInt32(elementField.repetition, required ? repetition.required : repetition.optional)
    .setText(elementField.name, name)
    .setInt32(elementField.fieldId, id)
  elements.push(element)
  switch (type.kind) {
    case 'struct':
      element.setInt32(elementField.numChildren, type.fields.length)
      for (const field of type.fields) addElement(elements, field.id, field.name, field.required, field.type)
      return
    case 'list':
      element.setInt32(elementField.numChildren, 1).setInt32(elementField.convertedType, convertedType.list)
      setLogicalType(element, logicalType.list, new ThriftStruct())
      elements.push(createRepeated('list', 1))
      addElement(elements, type.elementId, 'element', type.elementRequired, type.element)
      return
    case 'map':
      element.setInt32(elementField.numChildren, 1).setInt32(elementField.convertedType, convertedType.map)
      setLogicalType(element, logicalType.map, new ThriftStruct())
      elements.push(createRepeated('key_value', 2))
      addElement(elements, type.keyId, 'key', true, type.key)
      addElement(elements, type.valueId, 'value', type.valueRequired, type.value)
      return
    default:
      element.setInt32(elementField.type, physicalTypeOf(type))
      annotate(element, type)
  }
}

function createRepeated(name: string, numChildren: number): ThriftStruct {
  return new ThriftStruct()
    .setInt32(elementField.repetition, repetition.repeated)
    .setText(elementField.name, name)
    .setInt32(elementField.numChildren, numChildren)
}

function setLogicalType(element: ThriftStruct, member: number, value: ThriftStruct): void {
  element.setStruct(elementField.logicalType, new ThriftStruct().setStruct(member, value))
}

export function physicalTypeOf(type: PrimitiveType): number {
  if (type.kind === 'decimal') {
    if (type.precision <= 9) return physicalType.int32
    return type.precision <= 18 ? physicalType.int64 : physicalType.fixed
  }
  switch (type.name) {
    case 'boolean':
      return physicalType.boolean
    case 'int':
    case 'date':
      return physicalType.int32
    case 'long':
    case 'timestamp':
    case 'timestamptz':
      return physicalType.int64
    case 'float':
      return physicalType.float
    case 'double':
      return physicalType.double
    case 'string':
    case 'binary':
      return physicalType.byteArray
  }
}

/** Bytes of a fixed decimal, 0 for every other type. */
export function fixedBytesOf(type: PrimitiveType): number {
  return type.kind === 'decimal' && type.precision > 18 ? countDecimalBytes(type.precision) : 0
}

function annotate(element: ThriftStruct, type: PrimitiveType): void {
  if (type.kind === 'decimal') {
    const { precision, scale } = type
    const fixedBytes = fixedBytesOf(type)
    if (fixedBytes > 0) element.setInt32(elementField.typeLength, fixedBytes)
    element
      .setInt32(elementField.convertedType, convertedType.decimal)
      .setInt32(elementField.scale, scale)
      .setInt32(elementField.precision, precision)
    setLogicalType(element, logicalType.decimal, new ThriftStruct().setInt32(1, scale).setInt32(2, precision))
    return
  }
  switch (type.name) {
    case 'string':
      element.setInt32(elementField.convertedType, convertedType.utf8)
      setLogicalType(element, logicalType.string, new ThriftStruct())
      return
    case 'date':
      element.setInt32(elementField.convertedType, convertedType.date)
      setLogicalType(element, logicalType.date, new ThriftStruct())
      return
    case 'timestamp':
    case 'timestamptz': {
      element.setInt32(elementField.convertedType, convertedType.timestampMicros)
      const unit = new ThriftStruct().setStruct(microsUnit, new ThriftStruct())
      const timestamp = new ThriftStruct().setBool(1, type.name === 'timestamptz').setStruct(2, unit)
      setLogicalType(element, logicalType.timestamp, timestamp)
      return
    }
    default:
  }
}

/** Names from the root to each leaf, as column chunks repeat them. */
export function listLeafNames(fields: readonly Field[]): string[][] {
  const paths: string[][] = []
  for (const field of fields) collectNames(field.type, [field.name], paths)
  return paths
}

function collectNames(type: FieldType, names: readonly string[], paths: string[][]): void {
  switch (type.kind) {
    case 'struct':
      for (const field of type.fields) collectNames(field.type, [...names, field.name], paths)
      return
    case 'list':
      collectNames(type.element, [...names, 'list', 'element'], paths)
      return
    case 'map':
      collectNames(type.key, [...names, 'key_value', 'key'], paths)
      collectNames(type.value, [...names, 'key_value', 'value'], paths)
      return
    default:
      paths.push([...names])
  }
}
