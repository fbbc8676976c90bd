/**
 * The schema as the JSON decoder walks it: one node per column at any level, with the bytes of its key and, learned from the
 * records, which key usually follows it.
 */
import type { Field, FieldType } from '../../table/types.ts'
import type { ColumnBuilder } from '../columns/builders.ts'

export const jsonCode = {
  boolean: 0,
  int: 1,
  long: 2,
  float: 3,
  double: 4,
  decimal: 5,
  date: 6,
  timestamp: 7,
  string: 8,
  binary: 9,
  struct: 10,
  list: 11,
  map: 12,
} as const

const bucketCount = 64

export class JsonNode {
  readonly code: number
  readonly required: boolean
  readonly path: string
  readonly column: ColumnBuilder
  /** Fields of a struct in order; the element of a list; the value of a map. */
  readonly children: readonly JsonNode[]
  /** UTF-8 of the field's name and the closing quote: matching it matches the whole key. */
  readonly keyBytes: Uint8Array
  /** The same as little-endian words, the last one filled with zeros; keyLastMask covers its real bytes. */
  readonly keyWords: Int32Array
  readonly keyLastMask: number
  /** A key with a quote, backslash or control character never stands verbatim in JSON. */
  readonly keyIsVerbatim: boolean
  /** Struct: children by a hash of length, first and last byte of the name. */
  readonly buckets: readonly (readonly JsonNode[])[]
  /** The object (by serial number) this field was last seen in. */
  serial = 0
  /** The object in which its last value did not fit, and why: the key may come again. */
  unfitSerial = 0
  unfitCode = 0
  unfitPath = ''
  /** Struct: the field that came first in the last object. */
  first: JsonNode | undefined
  /** Field: the known field that followed it last time. */
  next: JsonNode | undefined

  constructor(
    code: number,
    required: boolean,
    path: string,
    name: string,
    column: ColumnBuilder,
    children: JsonNode[],
  ) {
    const nameBytes = new TextEncoder().encode(name)
    this.code = code
    this.required = required
    this.path = path
    this.column = column
    this.children = children
    this.keyBytes = new Uint8Array([...nameBytes, 0x22])
    const padded = new Uint8Array(Math.ceil(this.keyBytes.length / 4) * 4)
    padded.set(this.keyBytes)
    this.keyWords = new Int32Array(padded.buffer)
    const lastBytes = this.keyBytes.length % 4
    this.keyLastMask = lastBytes === 0 ? -1 : (1 << (lastBytes * 8)) - 1
    this.keyIsVerbatim = nameBytes.every(byte => byte !== 0x22 && byte !== 0x5c && byte >= 0x20)
    this.first = children[0]
    this.next = undefined
    this.buckets = code === jsonCode.struct ? hashChildren(children) : []
  }
}

function hashChildren(children: JsonNode[]): JsonNode[][] {
  const buckets: JsonNode[][] = Array.from({ length: bucketCount }, () => [])
  for (const [index, child] of children.entries()) {
    child.next = children[index + 1]
    const end = child.keyBytes.length - 1
    buckets[hashKey(child.keyBytes, 0, end)]!.push(child)
  }
  return buckets
}

/** Bucket of the key bytes[start, end). */
export function hashKey(bytes: Uint8Array, start: number, end: number): number {
  if (end === start) return 0
  return (end - start + bytes[start]! * 3 + bytes[end - 1]! * 7) & (bucketCount - 1)
}

/** The child whose name is bytes[start, end), or undefined. */
export function findChild(node: JsonNode, bytes: Uint8Array, start: number, end: number): JsonNode | undefined {
  const bucket = node.buckets[hashKey(bytes, start, end)]!
  const length = end - start
  for (let index = 0; index < bucket.length; index++) {
    const child = bucket[index]!
    const key = child.keyBytes
    if (key.length - 1 !== length) continue
    let at = 0
    while (at < length && key[at] === bytes[start + at]) at++
    if (at === length) return child
  }
  return undefined
}

/** `columns` belong to `fields`, one each. */
export function planStruct(fields: readonly Field[], columns: readonly ColumnBuilder[], path: string): JsonNode[] {
  return fields.map((field, index) => {
    const fieldPath = path === '' ? field.name : `${path}.${field.name}`
    return planNode(field.type, columns[index]!, field.required, fieldPath, field.name)
  })
}

function planNode(type: FieldType, column: ColumnBuilder, required: boolean, path: string, name: string): JsonNode {
  switch (type.kind) {
    case 'struct': {
      if (column.kind !== 'struct') break
      return new JsonNode(jsonCode.struct, required, path, name, column, planStruct(type.fields, column.children, path))
    }
    case 'list': {
      if (column.kind !== 'list') break
      const element = planNode(type.element, column.element, type.elementRequired, `${path}.element`, '')
      return new JsonNode(jsonCode.list, required, path, name, column, [element])
    }
    case 'map': {
      if (column.kind !== 'map') break
      const value = planNode(type.value, column.value, type.valueRequired, `${path}.value`, '')
      return new JsonNode(jsonCode.map, required, path, name, column, [value])
    }
    case 'decimal':
      return new JsonNode(jsonCode.decimal, required, path, name, column, [])
    case 'primitive': {
      const code = type.name === 'timestamptz' ? jsonCode.timestamp : jsonCode[type.name]
      return new JsonNode(code, required, path, name, column, [])
    }
  }
  throw new TypeError(`column of ${path} is ${column.kind}, not ${type.kind}`)
}
