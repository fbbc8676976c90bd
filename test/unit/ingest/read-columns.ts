/** Columns back to plain values, the slow and obvious way: what tests compare decoders by. */
import type { ColumnSet } from '../../../ingest/columns/column-set.ts'
import type { ColumnData } from '../../../table/parquet/column-data.ts'
import { readDecimal } from '../../../table/parquet/statistics.ts'
import type { Field, FieldType } from '../../../table/types.ts'

/** long and timestamps: bigint; decimal: unscaled bigint; binary: hex text; map: sorted entries. */
export type Plain = null | boolean | number | bigint | string | Plain[] | { [name: string]: Plain }

export function readRows(fields: readonly Field[], set: ColumnSet): { [name: string]: Plain }[] {
  return Array.from({ length: set.rowCount }, (_, row) =>
    Object.fromEntries(fields.map((field, index) => [field.name, readSlot(field.type, set.columns[index]!, row)])),
  )
}

export function readSlot(type: FieldType, column: ColumnData, slot: number): Plain {
  if (column.validity[slot] === 0) return null
  switch (column.kind) {
    case 'boolean':
      return column.values[slot] === 1
    case 'int32':
    case 'float32':
    case 'float64':
      return column.values[slot]!
    case 'int64':
      return (BigInt(column.words[slot * 2 + 1]!) << 32n) | BigInt(column.words[slot * 2]! >>> 0)
    case 'decimal':
      return readDecimal(column.words, slot)
    case 'bytes': {
      const start = column.offsets[slot]!
      const end = column.offsets[slot + 1]!
      const length = new DataView(column.bytes.buffer).getInt32(start, true)
      if (length !== end - start - 4) throw new Error(`length ${length} of a value of ${end - start - 4} bytes`)
      const bytes = Buffer.from(column.bytes.slice(start + 4, end))
      return type.kind === 'primitive' && type.name === 'binary' ? bytes.toString('hex') : bytes.toString('utf8')
    }
    case 'struct': {
      if (type.kind !== 'struct') throw new Error('no struct')
      return Object.fromEntries(
        type.fields.map((field, index) => [field.name, readSlot(field.type, column.children[index]!, slot)]),
      )
    }
    case 'list': {
      if (type.kind !== 'list') throw new Error('no list')
      const elements: Plain[] = []
      for (let at = column.offsets[slot]!; at < column.offsets[slot + 1]!; at++) {
        elements.push(readSlot(type.element, column.element, at))
      }
      return elements
    }
    case 'map': {
      if (type.kind !== 'map') throw new Error('no map')
      const entries: [string, Plain][] = []
      for (let at = column.offsets[slot]!; at < column.offsets[slot + 1]!; at++) {
        entries.push([String(readSlot(type.key, column.key, at)), readSlot(type.value, column.value, at)])
      }
      return entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    }
  }
}

/** Throws unless lengths, null counts and offsets of a column agree with each other. */
export function checkColumn(column: ColumnData, length: number): void {
  if (column.length !== length) throw new Error(`${column.kind} column of ${column.length} slots, not ${length}`)
  let nullCount = 0
  for (let at = 0; at < length; at++) if (column.validity[at] === 0) nullCount++
  if (nullCount !== column.nullCount) throw new Error(`${column.kind}: ${column.nullCount} nulls, counted ${nullCount}`)
  if (column.validity.subarray(length).includes(0)) throw new Error(`${column.kind}: a null beyond the last slot`)
  switch (column.kind) {
    case 'struct':
      for (const child of column.children) checkColumn(child, length)
      for (let at = 0; at < length; at++) {
        const isNull = column.validity[at] === 0
        if (isNull && column.children.some(child => child.validity[at] !== 0)) throw new Error('child of a null struct')
      }
      return
    case 'list':
      checkOffsets(column.offsets, length)
      checkColumn(column.element, column.offsets[length]!)
      return
    case 'map':
      checkOffsets(column.offsets, length)
      checkColumn(column.key, column.offsets[length]!)
      checkColumn(column.value, column.offsets[length]!)
      return
    case 'bytes':
      checkOffsets(column.offsets, length)
      for (let at = 0; at < length; at++) {
        const bytes = column.offsets[at + 1]! - column.offsets[at]!
        const isSound =
          column.validity[at] === 0 ? bytes === 0 : bytes === 4 + column.view.getInt32(column.offsets[at]!, true)
        if (!isSound) throw new Error(`bytes slot ${at} takes ${bytes} bytes`)
      }
      return
    default:
  }
}

function checkOffsets(offsets: Int32Array, length: number): void {
  if (offsets[0] !== 0) throw new Error('offsets do not start at 0')
  for (let at = 0; at < length; at++) if (offsets[at + 1]! < offsets[at]!) throw new Error('offsets fall')
}
