/**
 * A Protobuf message against the table's columns: fields by number, with the column each fills. Fields without a column are
 * skipped, columns without a field are null. What cannot fit is refused here, before any record is read.
 */
import type protobuf from 'protobufjs'
import { FloeError } from '../../core/errors.ts'
import { formatType } from '../../table/schema.ts'
import type { Field, FieldType } from '../../table/types.ts'
import type { ColumnBuilder } from '../columns/builders.ts'
import { type ProtoScalar, type ProtoValue, readProtoValue, tracksPresence } from './proto-schema.ts'

/** What is read from the wire. */
export const protoCode = {
  bool: 0,
  int32: 1,
  sint32: 2,
  uint32: 3,
  fixed32: 4,
  sfixed32: 5,
  int64: 6,
  sint64: 7,
  uint64: 8,
  fixed64: 9,
  sfixed64: 10,
  float: 11,
  double: 12,
  string: 13,
  bytes: 14,
  enum: 15,
  message: 16,
  timestamp: 17,
  wrapper: 18,
} as const

export const wireType = { varint: 0, bytes8: 1, length: 2, groupStart: 3, groupEnd: 4, bytes4: 5 } as const

/** How one value is read and what it is pushed to. */
export class ProtoValueNode {
  readonly code: number
  readonly path: string
  readonly column: ColumnBuilder
  readonly wire: number
  /** Message: its fields. */
  message: ProtoMessagePlan | undefined
  /** Wrapper: the scalar inside. */
  inner: ProtoValueNode | undefined
  /** Enum: UTF-8 of the names. */
  readonly symbols = new Map<number, Uint8Array>()

  constructor(code: number, path: string, column: ColumnBuilder) {
    this.code = code
    this.path = path
    this.column = column
    this.wire = wireTypeOf(code)
  }
}

export class ProtoFieldNode {
  readonly path: string
  readonly shape: 'single' | 'list' | 'map'
  readonly required: boolean
  /** Whether absence is null, not the default. */
  readonly isNullable: boolean
  readonly column: ColumnBuilder
  /** The value, element or map value. */
  readonly value: ProtoValueNode
  /** Map keys: what is read; they become text. */
  readonly keyCode: number
  /** The other members of its oneof. */
  siblings: readonly ProtoFieldNode[] = []
  /** The message (by serial number) it was last seen in, and the bytes of that occurrence if it is a message. */
  serial = 0
  spanBytes: Uint8Array | undefined
  spanStart = 0
  spanEnd = 0

  constructor(
    path: string,
    shape: 'single' | 'list' | 'map',
    required: boolean,
    isNullable: boolean,
    column: ColumnBuilder,
    value: ProtoValueNode,
    keyCode: number,
  ) {
    this.path = path
    this.shape = shape
    this.required = required
    this.isNullable = isNullable
    this.column = column
    this.value = value
    this.keyCode = keyCode
  }
}

export class ProtoMessagePlan {
  readonly fields: readonly ProtoFieldNode[]
  /** Field numbers are up to 2^29, and mostly small. */
  readonly byNumber = new Map<number, ProtoFieldNode>()
  readonly bySmallNumber: (ProtoFieldNode | undefined)[] = new Array<undefined>(smallNumberEnd).fill(undefined)
  /** Columns the message has no field for. */
  readonly absent: readonly ColumnBuilder[]

  constructor(fields: readonly (readonly [number, ProtoFieldNode])[], absent: readonly ColumnBuilder[]) {
    this.fields = fields.map(([, field]) => field)
    this.absent = absent
    for (const [number, field] of fields) {
      if (number < smallNumberEnd) this.bySmallNumber[number] = field
      this.byNumber.set(number, field)
    }
  }

  find(number: number): ProtoFieldNode | undefined {
    return number < smallNumberEnd ? this.bySmallNumber[number] : this.byNumber.get(number)
  }
}

const smallNumberEnd = 64

/**
 * errors  invalid, naming the column: no field for a required column, or a field type that does not fit
 */
export function planMessage(
  type: protobuf.Type,
  fields: readonly Field[],
  columns: readonly ColumnBuilder[],
  path: string,
): ProtoMessagePlan {
  const nodes: [number, ProtoFieldNode][] = []
  const byProtoField = new Map<protobuf.Field, ProtoFieldNode>()
  const absent: ColumnBuilder[] = []
  for (const [index, field] of fields.entries()) {
    const fieldPath = path === '' ? field.name : `${path}.${field.name}`
    const protoField = type.fieldsArray.find(candidate => candidate.name === field.name)
    if (protoField === undefined) {
      if (field.required) throw mismatch(fieldPath, `the column is required, and ${type.name} has no such field`)
      absent.push(columns[index]!)
      continue
    }
    const node = planField(protoField, field, columns[index]!, fieldPath)
    nodes.push([protoField.id, node])
    byProtoField.set(protoField, node)
  }
  for (const [protoField, node] of byProtoField) {
    const members = protoField.partOf?.fieldsArray ?? []
    node.siblings = members.flatMap(member => {
      const sibling = byProtoField.get(member)
      return sibling === undefined || sibling === node ? [] : [sibling]
    })
  }
  return new ProtoMessagePlan(nodes, absent)
}

function planField(protoField: protobuf.Field, field: Field, column: ColumnBuilder, path: string): ProtoFieldNode {
  const { type, required } = field
  const value = readProtoValue(protoField)
  const keyType = keyTypeOf(protoField)
  if (keyType !== undefined) {
    if (type.kind !== 'map' || column.kind !== 'map') throw doesNotFit(path, 'a map', type)
    const node = planValue(value, type.value, column.value, `${path}.value`)
    const keyCode = keyCodes[keyType]
    if (keyCode === undefined) throw mismatch(path, `map keys cannot be ${keyType}`)
    return new ProtoFieldNode(path, 'map', required, false, column, node, keyCode)
  }
  if (protoField.repeated) {
    if (type.kind !== 'list' || column.kind !== 'list') throw doesNotFit(path, 'a repeated field', type)
    const node = planValue(value, type.element, column.element, `${path}.element`)
    return new ProtoFieldNode(path, 'list', required, false, column, node, -1)
  }
  const node = planValue(value, type, column, path)
  return new ProtoFieldNode(path, 'single', required, tracksPresence(protoField), column, node, -1)
}

/** Of a map field; undefined for others. */
function keyTypeOf(field: protobuf.Field): string | undefined {
  return field.map && 'keyType' in field && typeof field.keyType === 'string' ? field.keyType : undefined
}

const keyCodes: Readonly<Record<string, number>> = {
  string: protoCode.string,
  bool: protoCode.bool,
  int32: protoCode.int32,
  sint32: protoCode.sint32,
  uint32: protoCode.uint32,
  fixed32: protoCode.fixed32,
  sfixed32: protoCode.sfixed32,
  int64: protoCode.int64,
  sint64: protoCode.sint64,
  uint64: protoCode.uint64,
  fixed64: protoCode.fixed64,
  sfixed64: protoCode.sfixed64,
}

function planValue(value: ProtoValue, type: FieldType, column: ColumnBuilder, path: string): ProtoValueNode {
  switch (value.kind) {
    case 'scalar':
      if (!scalarFits(value.scalar, type)) throw doesNotFit(path, value.scalar, type)
      return new ProtoValueNode(protoCode[value.scalar], path, column)
    case 'wrapper': {
      const node = new ProtoValueNode(protoCode.wrapper, path, column)
      node.inner = planValue({ kind: 'scalar', scalar: value.scalar }, type, column, path)
      return node
    }
    case 'enum': {
      if (!isPrimitive(type, 'string', 'int')) throw doesNotFit(path, 'an enum', type)
      const node = new ProtoValueNode(protoCode.enum, path, column)
      for (const [number, symbol] of Object.entries(value.symbols)) {
        node.symbols.set(Number(number), new TextEncoder().encode(symbol))
      }
      return node
    }
    case 'timestamp':
      if (isPrimitive(type, 'timestamp', 'timestamptz')) return new ProtoValueNode(protoCode.timestamp, path, column)
      throw doesNotFit(path, 'google.protobuf.Timestamp', type)
    case 'message': {
      if (type.kind !== 'struct' || column.kind !== 'struct') throw doesNotFit(path, `message ${value.type.name}`, type)
      const node = new ProtoValueNode(protoCode.message, path, column)
      node.message = planMessage(value.type, type.fields, column.children, path)
      return node
    }
  }
}

const isPrimitive = (type: FieldType, ...names: string[]): boolean =>
  type.kind === 'primitive' && names.includes(type.name)

function scalarFits(scalar: ProtoScalar, type: FieldType): boolean {
  switch (scalar) {
    case 'bool':
      return isPrimitive(type, 'boolean')
    case 'int32':
    case 'sint32':
    case 'sfixed32':
      return isPrimitive(type, 'int', 'long', 'date')
    case 'uint32':
    case 'fixed32':
      return isPrimitive(type, 'long')
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return isPrimitive(type, 'long')
    case 'uint64':
    case 'fixed64':
      return isPrimitive(type, 'long') || (type.kind === 'decimal' && type.scale === 0 && type.precision >= 20)
    case 'float':
      return isPrimitive(type, 'float', 'double')
    case 'double':
      return isPrimitive(type, 'double')
    case 'string':
      return isPrimitive(type, 'string', 'binary')
    case 'bytes':
      return isPrimitive(type, 'binary')
  }
}

function wireTypeOf(code: number): number {
  switch (code) {
    case protoCode.fixed32:
    case protoCode.sfixed32:
    case protoCode.float:
      return wireType.bytes4
    case protoCode.fixed64:
    case protoCode.sfixed64:
    case protoCode.double:
      return wireType.bytes8
    case protoCode.string:
    case protoCode.bytes:
    case protoCode.message:
    case protoCode.timestamp:
    case protoCode.wrapper:
      return wireType.length
    default:
      return wireType.varint
  }
}

function doesNotFit(path: string, what: string, type: FieldType): FloeError {
  return mismatch(path, `${what} does not fit the column type ${formatType(type)}`)
}

function mismatch(path: string, problem: string): FloeError {
  return new FloeError('invalid', 'proto-schema-mismatch', `field "${path}": ${problem}`, { field: path })
}
