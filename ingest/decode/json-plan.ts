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
  /** UTF-8 of the field's name. */
  readonly nameBytes: Uint8Array
  /**
   * Name, closing quote and colon, as they usually stand there: matching them matches the whole key. 0 for a name with a quote,
   * backslash or control character, which never stands verbatim in JSON.
   */
  readonly keyLength: number
  /** The key as little-endian words filled up with zeros, and masks over the bytes that count. */
  readonly keyWords: Int32Array
  readonly keyMasks: Int32Array
  /** Of all words; apart, since a field is read faster than the length of an array. */
  readonly keyWordBytes: number
  /** The first words again, as fields: most keys have no more, and fields are read faster than elements. */
  readonly word0: number
  readonly word1: number
  readonly word2: number
  readonly mask0: number
  readonly mask1: number
  readonly mask2: number
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
    this.nameBytes = nameBytes
    const isVerbatim = nameBytes.every(byte => byte !== 0x22 && byte !== 0x5c && byte >= 0x20)
    this.keyLength = isVerbatim ? nameBytes.length + 2 : 0
    const wordCount = Math.max(3, Math.ceil((nameBytes.length + 2) / 4))
    const padded = new Uint8Array(wordCount * 4)
    padded.set(nameBytes)
    padded.set([0x22, 0x3a], nameBytes.length)
    this.keyWords = new Int32Array(padded.buffer)
    this.keyMasks = new Int32Array(padded.map((_, at) => (at < nameBytes.length + 2 ? 0xff : 0)).buffer)
    this.keyWordBytes = wordCount * 4
    this.word0 = this.keyWords[0]!
    this.word1 = this.keyWords[1]!
    this.word2 = this.keyWords[2]!
    this.mask0 = this.keyMasks[0]!
    this.mask1 = this.keyMasks[1]!
    this.mask2 = this.keyMasks[2]!
    this.first = children[0]
    this.next = undefined
    this.buckets = code === jsonCode.struct ? hashChildren(children) : []
  }
}

function hashChildren(children: JsonNode[]): JsonNode[][] {
  const buckets: JsonNode[][] = Array.from({ length: bucketCount }, () => [])
  for (const [index, child] of children.entries()) {
    child.next = children[index + 1]
    buckets[hashKey(child.nameBytes, 0, child.nameBytes.length)]!.push(child)
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
    const name = child.nameBytes
    if (name.length !== length) continue
    let at = 0
    while (at < length && name[at] === bytes[start + at]) at++
    if (at === length) return child
  }
  return undefined
}

/** Whether the node's whole key, behind its opening quote, stands at `at`. The words must lie within the view. */
export function matchesKey(view: DataView, at: number, node: JsonNode): boolean {
  if ((view.getInt32(at, true) & node.mask0) !== node.word0) return false
  if ((view.getInt32(at + 4, true) & node.mask1) !== node.word1) return false
  if ((view.getInt32(at + 8, true) & node.mask2) !== node.word2) return false
  return node.keyLength <= 12 || matchesRest(view, at, node)
}

function matchesRest(view: DataView, at: number, { keyWords, keyMasks }: JsonNode): boolean {
  for (let index = 3; index < keyWords.length; index++) {
    if ((view.getInt32(at + index * 4, true) & keyMasks[index]!) !== keyWords[index]) return false
  }
  return true
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
