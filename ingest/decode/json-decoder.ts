/**
 * JSON text to columns in one pass over the bytes: no JavaScript strings, no objects. It walks the schema's plan
 * (json-plan.ts) and guesses each next key from the record before, so keys in the producer's usual order cost one comparison.
 *
 * Accepts exactly what JSON.parse accepts (RFC 8259), nested at most nestingDepthMax deep and valid UTF-8, with its semantics:
 * of repeated keys the last wins, unknown keys are skipped but checked. How values become column values: docs/types.md.
 *
 * Positions  parse functions take the position of a value's first byte and return the position after it, or a negative reject
 *            code. They may look past `end` (the bytes belong to the next record), never past it successfully.
 */
import type { Field } from '../../table/types.ts'
import type { BytesBuilder, ColumnBuilder, ListBuilder, MapBuilder, StructBuilder } from '../columns/builders.ts'
import { rollbackColumn } from '../columns/column-set.ts'
import { nestingDepthMax, type ValueDecoder } from './decoder.ts'
import { findChild, JsonNode, jsonCode, matchesKey, planStruct } from './json-plan.ts'
import { JsonScalars } from './json-scalars.ts'
import { isSpace, JsonScanner } from './json-scanner.ts'
import { dropRepeatedKeys } from './map-keys.ts'
import { reject } from './reject.ts'

const quote = 0x22
const comma = 0x2c
const colon = 0x3a

export class JsonDecoder implements ValueDecoder {
  rejectPath = ''
  readonly #root: JsonNode
  readonly #scanner = new JsonScanner()
  readonly #scalars: JsonScalars
  /** Rows before the one being decoded. */
  #rowCount = 0
  /** Counts objects, so that a field knows whether it was seen in this one. */
  #serial = 0

  /** `columns` belong to `fields`, one each. */
  constructor(fields: readonly Field[], columns: readonly ColumnBuilder[]) {
    this.#scalars = new JsonScalars(this.#scanner)
    // The root has no column of its own: its children are the table's columns, the first tells how many rows there are.
    this.#root = new JsonNode(jsonCode.struct, true, '', '', columns[0]!, planStruct(fields, columns, ''))
  }

  decode(bytes: Uint8Array, start: number, end: number): number {
    this.rejectPath = ''
    this.#rowCount = this.#root.column.length
    this.#scanner.enter(bytes)
    let at = start
    while (at < end && isSpace(bytes[at]!)) at++
    if (at >= end) return reject.malformedJson
    if (bytes[at] !== 0x7b) {
      at = this.#scanner.skipValue(bytes, at, end, 0)
      return at < 0 ? -at : reject.typeMismatch
    }
    at = this.#parseObject(this.#root, bytes, at, end, 0)
    if (at < 0) return -at
    while (at < end && isSpace(bytes[at]!)) at++
    return at === end ? reject.ok : reject.malformedJson
  }

  #fail(node: JsonNode, code: number): number {
    this.rejectPath = node.path
    return -code
  }

  #parseObject(node: JsonNode, bytes: Uint8Array, start: number, end: number, depth: number): number {
    if (depth > nestingDepthMax) return this.#fail(node, reject.nestingTooDeep)
    const serial = ++this.#serial
    const { view, viewBytes } = this.#scanner
    let seenCount = 0
    let hasUnfit = false
    let before: JsonNode | undefined
    let expected = node.first
    let at = start + 1
    while (isSpace(bytes[at]!)) at++
    if (bytes[at] === 0x7d) {
      at++
    } else {
      for (;;) {
        if (bytes[at] !== quote) return this.#fail(node, reject.malformedJson)
        at++
        let child = expected
        if (
          child !== undefined &&
          at + child.keyWordBytes <= viewBytes &&
          child.keyLength > 0 &&
          matchesKey(view, at, child)
        ) {
          at += child.keyLength
        } else {
          const keyEnd = this.#scanner.skipString(bytes, at - 1, end)
          if (keyEnd < 0) return this.#fail(node, -keyEnd)
          if (this.#scanner.hasEscapes) {
            const textLength = this.#scanner.unescape(bytes, at, keyEnd - 1)
            child = findChild(node, this.#scanner.scratch, 0, textLength)
          } else {
            child = findChild(node, bytes, at, keyEnd - 1)
          }
          at = keyEnd
          if (child !== undefined) {
            if (before === undefined) node.first = child
            else before.next = child
          }
          while (isSpace(bytes[at]!)) at++
          if (bytes[at] !== colon) return this.#fail(node, reject.malformedJson)
          at++
        }
        while (isSpace(bytes[at]!)) at++
        if (child === undefined) {
          at = this.#scanner.skipValue(bytes, at, end, depth + 1)
          if (at < 0) return this.#fail(node, -at)
        } else {
          if (child.serial !== serial) seenCount++
          else if (child.unfitSerial !== serial) rollbackColumn(child.column, child.column.length - 1)
          child.serial = serial
          const start = at
          // Text, most of most records, without a detour.
          if (child.code === jsonCode.string && bytes[at] === quote) {
            at = this.#scanner.parseString(child.column as BytesBuilder, bytes, start, end, depth)
            if (at < 0) this.rejectPath = child.path
          } else {
            at = this.#parseValue(child, bytes, start, end, depth)
          }
          if (at < 0) {
            at = this.#leaveUnfit(node, child, -at, bytes, start, end, depth)
            if (at < 0) return at
            child.unfitSerial = serial
            hasUnfit = true
          } else if (hasUnfit) {
            child.unfitSerial = 0
          }
          before = child
          expected = child.next
        }
        let next = bytes[at]
        while (isSpace(next!)) next = bytes[++at]
        if (next === comma) {
          at++
          while (isSpace(bytes[at]!)) at++
          continue
        }
        if (next !== 0x7d) return this.#fail(node, reject.malformedJson)
        at++
        break
      }
    }
    if (at > end) return this.#fail(node, reject.malformedJson)
    const { children } = node
    if (hasUnfit) {
      for (const child of children) if (child.unfitSerial === serial) return this.#failUnfit(child)
    }
    if (seenCount < children.length) {
      for (let index = 0; index < children.length; index++) {
        const child = children[index]!
        if (child.serial === serial) continue
        if (child.required) return this.#fail(child, reject.missingRequiredField)
        child.column.pushNull()
      }
    }
    return at
  }

  /**
   * A well-formed value that the column cannot take: the record is rejected in the end, unless the key comes again. Returns the
   * position after the value.
   */
  #leaveUnfit(
    node: JsonNode,
    child: JsonNode,
    code: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    depth: number,
  ): number {
    if (!isUnfitCode(code)) return -code
    child.unfitCode = code
    child.unfitPath = this.rejectPath
    rollbackColumn(child.column, node === this.#root ? this.#rowCount : node.column.length)
    const next = this.#scanner.skipValue(bytes, start, end, depth + 1)
    return next < 0 ? this.#fail(child, -next) : next
  }

  #failUnfit(child: JsonNode): number {
    this.rejectPath = child.unfitPath
    return -child.unfitCode
  }

  #parseValue(node: JsonNode, bytes: Uint8Array, at: number, end: number, depth: number): number {
    if (bytes[at] === 0x6e) {
      const next = this.#scanner.skipLiteral(bytes, at, end)
      if (next < 0) return this.#fail(node, -next)
      if (node.required) return this.#fail(node, reject.missingRequiredField)
      node.column.pushNull()
      return next
    }
    let next: number
    switch (node.code) {
      case jsonCode.string:
        next = this.#scanner.parseString(node.column as BytesBuilder, bytes, at, end, depth)
        break
      case jsonCode.struct: {
        if (bytes[at] !== 0x7b) return this.#fail(node, reject.typeMismatch)
        next = this.#parseObject(node, bytes, at, end, depth + 1)
        if (next < 0) return next
        const column = node.column as StructBuilder
        column.pushValid()
        return next
      }
      case jsonCode.list:
        return this.#parseList(node, bytes, at, end, depth + 1)
      case jsonCode.map:
        return this.#parseMap(node, bytes, at, end, depth + 1)
      default:
        next = this.#scalars.parse(node, bytes, at, end)
    }
    return next < 0 ? this.#fail(node, -next) : next
  }

  #parseList(node: JsonNode, bytes: Uint8Array, start: number, end: number, depth: number): number {
    if (depth > nestingDepthMax) return this.#fail(node, reject.nestingTooDeep)
    if (bytes[start] !== 0x5b) return this.#fail(node, reject.typeMismatch)
    const column = node.column as ListBuilder
    const element = node.children[0]!
    let at = start + 1
    while (isSpace(bytes[at]!)) at++
    if (bytes[at] === 0x5d) {
      at++
    } else {
      for (;;) {
        at = this.#parseValue(element, bytes, at, end, depth)
        if (at < 0) return at
        if (at >= end) return this.#fail(node, reject.malformedJson)
        while (isSpace(bytes[at]!)) at++
        const next = bytes[at++]
        if (next === 0x5d) break
        if (next !== comma) return this.#fail(node, reject.malformedJson)
        while (isSpace(bytes[at]!)) at++
      }
    }
    column.pushValid()
    return at
  }

  #parseMap(node: JsonNode, bytes: Uint8Array, start: number, end: number, depth: number): number {
    if (depth > nestingDepthMax) return this.#fail(node, reject.nestingTooDeep)
    if (bytes[start] !== 0x7b) return this.#fail(node, reject.typeMismatch)
    const column = node.column as MapBuilder
    const value = node.children[0]!
    const first = column.key.length
    let unfit: Map<string, { readonly code: number; readonly path: string }> | undefined
    let at = start + 1
    while (isSpace(bytes[at]!)) at++
    if (bytes[at] === 0x7d) {
      at++
    } else {
      for (;;) {
        if (bytes[at] !== quote) return this.#fail(node, reject.malformedJson)
        at = this.#scanner.parseString(column.key, bytes, at, end, depth)
        if (at < 0) return this.#fail(node, -at)
        unfit?.delete(lastKeyOf(column))
        while (isSpace(bytes[at]!)) at++
        if (bytes[at++] !== colon) return this.#fail(node, reject.malformedJson)
        while (isSpace(bytes[at]!)) at++
        const valueStart = at
        at = this.#parseValue(value, bytes, valueStart, end, depth)
        if (at < 0) {
          if (!isUnfitCode(-at)) return at
          // As for fields: a later value of the same key may replace this one.
          unfit ??= new Map()
          unfit.set(lastKeyOf(column), { code: -at, path: this.rejectPath })
          rollbackColumn(value.column, column.key.length - 1)
          value.column.pushNull()
          at = this.#scanner.skipValue(bytes, valueStart, end, depth + 1)
          if (at < 0) return this.#fail(value, -at)
        }
        if (at >= end) return this.#fail(node, reject.malformedJson)
        while (isSpace(bytes[at]!)) at++
        const next = bytes[at++]
        if (next === 0x7d) break
        if (next !== comma) return this.#fail(node, reject.malformedJson)
        while (isSpace(bytes[at]!)) at++
      }
      for (const { code, path } of unfit?.values() ?? []) {
        this.rejectPath = path
        return -code
      }
      dropRepeatedKeys(column, first)
    }
    column.pushValid()
    return at
  }
}

/** Not malformed: JSON.parse would accept the record, only the column does not. */
function isUnfitCode(code: number): boolean {
  return code === reject.typeMismatch || code === reject.outOfRange || code === reject.missingRequiredField
}

function lastKeyOf({ key }: MapBuilder): string {
  return Buffer.from(key.bytes.buffer, key.offsets[key.length - 1]!, key.used - key.offsets[key.length - 1]!).toString(
    'latin1',
  )
}
