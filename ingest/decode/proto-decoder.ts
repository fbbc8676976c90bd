/**
 * Protobuf messages straight to columns (proto-plan.ts).
 *
 *   message  := (tag value)*      tag := varint (field number << 3 | wire type)
 *
 * Semantics of the standard parsers: unknown fields and fields of another wire type are skipped; of a scalar that comes twice
 * the last counts, messages that come twice are merged, repeated fields collect from packed and unpacked occurrences, of the
 * members of a oneof the last stays. Absent fields without presence have their default, with presence they are null.
 *
 * Confluent framing puts a zero byte, a 4-byte schema id and the path of the message (zigzag varints, one 0 for the first
 * message) in front; without a registry any id is taken for the given schema.
 *
 * source  Protocol Buffers documentation, "Encoding", "Last One Wins"; Confluent wire format
 */
import { bytesPrefix } from '../../table/parquet/column-data.ts'
import type { Field } from '../../table/types.ts'
import type {
  BytesBuilder,
  ColumnBuilder,
  Int64Builder,
  ListBuilder,
  MapBuilder,
  StructBuilder,
} from '../columns/builders.ts'
import { rollbackColumn } from '../columns/column-set.ts'
import { confluentFrameBytes } from './avro-decoder.ts'
import { ByteCursor } from './byte-cursor.ts'
import { nestingDepthMax, type ValueDecoder } from './decoder.ts'
import { dropRepeatedKeys } from './map-keys.ts'
import {
  type ProtoFieldNode,
  type ProtoMessagePlan,
  type ProtoValueNode,
  planMessage,
  protoCode,
  wireType,
} from './proto-plan.ts'
import { formatKey, pushDefault, pushTimestamp, readScalar, readWords } from './proto-scalars.ts'
import { parseProtoSchema } from './proto-schema.ts'
import { reject } from './reject.ts'
import { isUtf8Range } from './utf8.ts'

const malformed = reject.malformedProtobuf

export class ProtoDecoder implements ValueDecoder {
  rejectPath = ''
  readonly #root: ProtoMessagePlan
  readonly #indexPath: readonly number[]
  readonly #isFramed: boolean
  readonly #cursor = new ByteCursor()
  /** Counts messages, so that a field knows whether it was seen in this one. */
  #serial = 0

  /**
   * errors  invalid: the schema cannot be read, or does not fit the columns
   */
  constructor(
    fields: readonly Field[],
    columns: readonly ColumnBuilder[],
    schemaText: string,
    messageName: string | undefined,
    framing: 'raw' | 'confluent',
  ) {
    const { type, indexPath } = parseProtoSchema(schemaText, messageName)
    this.#root = planMessage(type, fields, columns, '')
    this.#indexPath = indexPath
    this.#isFramed = framing === 'confluent'
  }

  decode(bytes: Uint8Array, start: number, end: number): number {
    this.rejectPath = ''
    this.#cursor.enter(bytes, start)
    if (this.#isFramed && !this.#readFrame(end)) return reject.schemaIdMismatch
    return this.#readMessage(this.#root, '', end, 0)
  }

  #readFrame(end: number): boolean {
    const cursor = this.#cursor
    if (end - cursor.at <= confluentFrameBytes || cursor.bytes[cursor.at] !== 0) return false
    cursor.at += confluentFrameBytes
    const count = cursor.readZigzag()
    const path = this.#indexPath
    if (count === 0) return path.length === 1 && path[0] === 0 && cursor.at <= end
    if (count !== path.length) return false
    for (const index of path) if (cursor.readZigzag() !== index) return false
    return cursor.at <= end
  }

  #fail(path: string, code: number): number {
    this.rejectPath = path
    return code
  }

  /** The message from the cursor to `end`, one slot to every column of its plan. */
  #readMessage(plan: ProtoMessagePlan, path: string, end: number, depth: number): number {
    if (depth > nestingDepthMax) return this.#fail(path, reject.nestingTooDeep)
    const cursor = this.#cursor
    const serial = ++this.#serial
    while (cursor.at < end) {
      const tag = cursor.readCount()
      const number = Math.floor(tag / 8)
      if (tag < 8 || number > fieldNumberMax) return this.#fail(path, malformed)
      const wire = tag & 7
      const field = plan.find(number)
      const isPacked = field?.shape === 'list' && wire === wireType.length && field.value.wire !== wireType.length
      let result: number
      if (field === undefined) {
        result = this.#skip(wire, number, end, depth)
      } else if (isPacked) {
        field.serial = serial
        result = this.#readPacked(field.value, end)
      } else if (wire !== (field.shape === 'map' ? wireType.length : field.value.wire)) {
        result = this.#skip(wire, number, end, depth)
      } else {
        result = this.#readField(field, serial, end, depth)
      }
      // Failures inside nested messages have named their place already.
      if (result !== reject.ok) return this.rejectPath === '' ? this.#fail(field?.path ?? path, result) : result
      if (cursor.at > end) return this.#fail(field?.path ?? path, reject.truncated)
    }
    return this.#complete(plan, serial)
  }

  #readField(field: ProtoFieldNode, serial: number, end: number, depth: number): number {
    if (field.shape === 'list') {
      field.serial = serial
      return this.#readValue(field.value, end, depth)
    }
    if (field.shape === 'map') {
      if (field.serial !== serial) {
        field.serial = serial
        field.spanStart = (field.column as MapBuilder).key.length
      }
      return this.#readEntry(field, end, depth)
    }
    const isRepeated = field.serial === serial
    if (isRepeated) rollbackColumn(field.column, field.column.length - 1)
    for (let index = 0; index < field.siblings.length; index++) {
      const sibling = field.siblings[index]!
      if (sibling.serial !== serial) continue
      rollbackColumn(sibling.column, sibling.column.length - 1)
      sibling.serial = 0
    }
    field.serial = serial
    const { code } = field.value
    if (code !== protoCode.message && code !== protoCode.timestamp && code !== protoCode.wrapper) {
      return this.#readValue(field.value, end, depth)
    }
    return this.#readMerged(field, isRepeated, end, depth)
  }

  /** A message field: merged with the occurrence before, which is the same as reading both one after the other. */
  #readMerged(field: ProtoFieldNode, isRepeated: boolean, end: number, depth: number): number {
    const cursor = this.#cursor
    const { bytes } = cursor
    const valueStart = cursor.at
    const length = cursor.readCount()
    const start = cursor.at
    if (length < 0 || length > end - start) return reject.truncated
    if (!isRepeated) {
      field.spanBytes = bytes
      field.spanStart = start
      field.spanEnd = start + length
      cursor.at = valueStart
      return this.#readValue(field.value, end, depth)
    }
    const before = field.spanBytes!.subarray(field.spanStart, field.spanEnd)
    const merged = new Uint8Array(before.length + length)
    merged.set(before)
    merged.set(bytes.subarray(start, start + length), before.length)
    field.spanBytes = merged
    field.spanStart = 0
    field.spanEnd = merged.length
    cursor.enter(merged, 0)
    const result = this.#readBody(field.value, merged.length, depth)
    cursor.enter(bytes, start + length)
    return result
  }

  #readValue(node: ProtoValueNode, end: number, depth: number): number {
    const { code } = node
    if (code !== protoCode.message && code !== protoCode.timestamp && code !== protoCode.wrapper) {
      return readScalar(node, this.#cursor, end)
    }
    const length = this.#cursor.readCount()
    if (length < 0 || length > end - this.#cursor.at) return reject.truncated
    return this.#readBody(node, this.#cursor.at + length, depth)
  }

  /** A message, timestamp or wrapper from the cursor to `end`. */
  #readBody(node: ProtoValueNode, end: number, depth: number): number {
    if (node.code === protoCode.timestamp) return this.#readTimestamp(node.column as Int64Builder, end, depth)
    if (node.code === protoCode.wrapper) return this.#readWrapper(node.inner!, end, depth)
    const result = this.#readMessage(node.message!, node.path, end, depth + 1)
    if (result !== reject.ok) return result
    const column = node.column as StructBuilder
    column.pushValid()
    return reject.ok
  }

  #readPacked(node: ProtoValueNode, end: number): number {
    const cursor = this.#cursor
    const length = cursor.readCount()
    if (length < 0 || length > end - cursor.at) return reject.truncated
    const packedEnd = cursor.at + length
    while (cursor.at < packedEnd) {
      const result = readScalar(node, cursor, packedEnd)
      if (result !== reject.ok) return result
    }
    return cursor.at === packedEnd ? reject.ok : malformed
  }

  #readTimestamp(column: Int64Builder, end: number, depth: number): number {
    const cursor = this.#cursor
    let seconds = 0
    let nanos = 0
    while (cursor.at < end) {
      const tag = cursor.readCount()
      if (tag === 8 || tag === 16) {
        if (!cursor.readVarint64()) return malformed
        if (tag === 8) seconds = cursor.high * 0x1_0000_0000 + (cursor.low >>> 0)
        else nanos = cursor.low
      } else {
        const result = this.#skipTag(tag, end, depth)
        if (result !== reject.ok) return result
      }
      if (cursor.at > end) return reject.truncated
    }
    return pushTimestamp(column, seconds, nanos)
  }

  #readWrapper(inner: ProtoValueNode, end: number, depth: number): number {
    const cursor = this.#cursor
    const { column } = inner
    const { length } = column
    while (cursor.at < end) {
      const tag = cursor.readCount()
      let result: number
      if (tag === (8 | inner.wire)) {
        if (column.length > length) rollbackColumn(column, length)
        result = readScalar(inner, cursor, end)
      } else {
        result = this.#skipTag(tag, end, depth)
      }
      if (result !== reject.ok) return result
      if (cursor.at > end) return reject.truncated
    }
    if (column.length === length) pushDefault(inner)
    return reject.ok
  }

  /** One map entry: a message of key = 1 and value = 2. */
  #readEntry(field: ProtoFieldNode, outerEnd: number, depth: number): number {
    const cursor = this.#cursor
    const { key, value } = field.column as MapBuilder
    const size = cursor.readCount()
    if (size < 0 || size > outerEnd - cursor.at) return reject.truncated
    const end = cursor.at + size
    const entry = key.length
    const keyWire = field.keyCode === protoCode.string ? wireType.length : wireOfKey(field.keyCode)
    while (cursor.at < end) {
      const tag = cursor.readCount()
      let result: number
      if (tag === (8 | keyWire)) {
        if (key.length > entry) rollbackColumn(key, entry)
        result = this.#readKey(field.keyCode, key, end)
      } else if (tag === (16 | field.value.wire)) {
        if (value.length > entry) rollbackColumn(value, entry)
        result = this.#readValue(field.value, end, depth)
      } else {
        result = this.#skipTag(tag, end, depth)
      }
      if (result !== reject.ok) return result
      if (cursor.at > end) return reject.truncated
    }
    if (key.length === entry) this.#pushDefaultKey(field.keyCode, key)
    if (value.length > entry) return reject.ok
    const { code } = field.value
    if (code !== protoCode.message && code !== protoCode.timestamp && code !== protoCode.wrapper) {
      pushDefault(field.value)
      return reject.ok
    }
    return this.#readBody(field.value, cursor.at, depth)
  }

  #readKey(code: number, key: BytesBuilder, end: number): number {
    const cursor = this.#cursor
    if (code === protoCode.string) {
      const length = cursor.readCount()
      const start = cursor.at
      if (length < 0 || length > end - start) return reject.truncated
      cursor.at = start + length
      if (!isUtf8Range(cursor.bytes, start, cursor.at)) return reject.invalidUtf8
      key.push(cursor.bytes, start, cursor.at)
      return reject.ok
    }
    const result = readWords(code, cursor, end)
    if (result !== reject.ok) return result
    const text = formatKey(code, cursor)
    key.push(text, 0, text.length)
    return reject.ok
  }

  #pushDefaultKey(code: number, key: BytesBuilder): void {
    if (code === protoCode.string) {
      key.reserve(0)
      key.pushEnd(key.used + bytesPrefix)
      return
    }
    this.#cursor.low = 0
    this.#cursor.high = 0
    const text = formatKey(code, this.#cursor)
    key.push(text, 0, text.length)
  }

  /** Ends the row of a message: lists and maps are closed, what did not come is null or its default. */
  #complete(plan: ProtoMessagePlan, serial: number): number {
    const { fields, absent } = plan
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index]!
      if (field.shape === 'list') {
        const column = field.column as ListBuilder
        column.pushValid()
      } else if (field.shape === 'map') {
        const column = field.column as MapBuilder
        if (field.serial === serial) dropRepeatedKeys(column, field.spanStart)
        column.pushValid()
      } else if (field.serial !== serial) {
        if (!field.isNullable) pushDefault(field.value)
        else if (field.required) return this.#fail(field.path, reject.missingRequiredField)
        else field.column.pushNull()
      }
    }
    for (let index = 0; index < absent.length; index++) absent[index]!.pushNull()
    return reject.ok
  }

  #skipTag(tag: number, end: number, depth: number): number {
    const number = Math.floor(tag / 8)
    return tag < 8 || number > fieldNumberMax ? malformed : this.#skip(tag & 7, number, end, depth)
  }

  #skip(wire: number, number: number, end: number, depth: number): number {
    const cursor = this.#cursor
    switch (wire) {
      case wireType.varint:
        return cursor.readVarint64() ? reject.ok : malformed
      case wireType.bytes8:
        cursor.at += 8
        return reject.ok
      case wireType.bytes4:
        cursor.at += 4
        return reject.ok
      case wireType.length: {
        const length = cursor.readCount()
        if (length < 0 || length > end - cursor.at) return reject.truncated
        cursor.at += length
        return reject.ok
      }
      case wireType.groupStart:
        return this.#skipGroup(number, end, depth + 1)
      default:
        return malformed
    }
  }

  #skipGroup(group: number, end: number, depth: number): number {
    if (depth > nestingDepthMax) return reject.nestingTooDeep
    const cursor = this.#cursor
    while (cursor.at < end) {
      const tag = cursor.readCount()
      const number = Math.floor(tag / 8)
      if (tag < 8 || number > fieldNumberMax) return malformed
      if ((tag & 7) === wireType.groupEnd) return number === group ? reject.ok : malformed
      const result = this.#skip(tag & 7, number, end, depth)
      if (result !== reject.ok) return result
    }
    return reject.truncated
  }
}

const fieldNumberMax = 0x1fff_ffff

function wireOfKey(code: number): number {
  if (code === protoCode.fixed32 || code === protoCode.sfixed32) return wireType.bytes4
  return code === protoCode.fixed64 || code === protoCode.sfixed64 ? wireType.bytes8 : wireType.varint
}
