/**
 * The columns of a table as builders, and what is done to all of them: making, emptying, undoing rows, measuring, gathering.
 */
import { bytesPrefix, type ColumnBatch } from '../../table/parquet/column-data.ts'
import type { Field, FieldType } from '../../table/types.ts'
import {
  BooleanBuilder,
  BytesBuilder,
  type ColumnBuilder,
  DecimalBuilder,
  Float32Builder,
  Float64Builder,
  Int32Builder,
  Int64Builder,
  ListBuilder,
  MapBuilder,
  StructBuilder,
} from './builders.ts'

/** A reset column that had grown beyond these (one huge value) gives its memory back. */
const keptBytesMax = 32 * 1024 * 1024
const keptSlotsMax = 1024 * 1024

export function createColumn(type: FieldType): ColumnBuilder {
  switch (type.kind) {
    case 'decimal':
      return new DecimalBuilder(type.precision, type.scale)
    case 'struct':
      return new StructBuilder(type.fields.map(field => createColumn(field.type)))
    case 'list':
      return new ListBuilder(createColumn(type.element))
    case 'map':
      return new MapBuilder(new BytesBuilder(), createColumn(type.value))
    case 'primitive':
      switch (type.name) {
        case 'boolean':
          return new BooleanBuilder()
        case 'int':
        case 'date':
          return new Int32Builder()
        case 'long':
        case 'timestamp':
        case 'timestamptz':
          return new Int64Builder()
        case 'float':
          return new Float32Builder()
        case 'double':
          return new Float64Builder()
        case 'string':
        case 'binary':
          return new BytesBuilder()
      }
  }
}

/** An empty column of the same shape. */
export function createEmptyCopy(column: ColumnBuilder): ColumnBuilder {
  switch (column.kind) {
    case 'boolean':
      return new BooleanBuilder()
    case 'int32':
      return new Int32Builder()
    case 'int64':
      return new Int64Builder()
    case 'float32':
      return new Float32Builder()
    case 'float64':
      return new Float64Builder()
    case 'decimal':
      return new DecimalBuilder(column.precision, column.scale)
    case 'bytes':
      return new BytesBuilder()
    case 'struct':
      return new StructBuilder(column.children.map(createEmptyCopy))
    case 'list':
      return new ListBuilder(createEmptyCopy(column.element))
    case 'map':
      return new MapBuilder(new BytesBuilder(), createEmptyCopy(column.value))
  }
}

/**
 * Forgets all slots from `length` on, also of a value that was only half written: children that ran ahead of their parent are
 * cut as well.
 */
export function rollbackColumn(column: ColumnBuilder, length: number): void {
  const { validity } = column
  for (let at = length; at < column.length; at++) {
    if (validity[at] !== 0) continue
    validity[at] = 1
    column.nullCount--
  }
  column.length = length
  switch (column.kind) {
    case 'bytes':
      column.used = column.offsets[length]!
      return
    case 'struct':
      for (const child of column.children) rollbackColumn(child, length)
      return
    case 'list':
      rollbackColumn(column.element, column.offsets[length]!)
      return
    case 'map':
      rollbackColumn(column.key, column.offsets[length]!)
      rollbackColumn(column.value, column.offsets[length]!)
      return
    default:
      return
  }
}

/** Empties the column and keeps its memory. */
export function resetColumn(column: ColumnBuilder): void {
  if (column.nullCount > 0) column.validity.fill(1, 0, column.length)
  column.length = 0
  column.nullCount = 0
  if (column.capacity > keptSlotsMax) column.shrink()
  switch (column.kind) {
    case 'bytes':
      column.used = 0
      if (column.byteCapacity > keptBytesMax) column.setBytes(new Uint8Array(1024))
      return
    case 'struct':
      for (const child of column.children) resetColumn(child)
      return
    case 'list':
      resetColumn(column.element)
      return
    case 'map':
      resetColumn(column.key)
      resetColumn(column.value)
      return
    default:
      return
  }
}

/** Bytes of the values held, not counting unused capacity. */
export function measureColumn(column: ColumnBuilder): number {
  switch (column.kind) {
    case 'boolean':
      return column.length * 2
    case 'int32':
    case 'float32':
      return column.length * 5
    case 'int64':
    case 'float64':
      return column.length * 9
    case 'decimal':
      return column.length * 17
    case 'bytes':
      return column.length * 5 + column.used
    case 'struct': {
      let bytes = column.length
      for (const child of column.children) bytes += measureColumn(child)
      return bytes
    }
    case 'list':
      return column.length * 5 + measureColumn(column.element)
    case 'map':
      return column.length * 5 + measureColumn(column.key) + measureColumn(column.value)
  }
}

/** Appends source slots rows[0, rowCount) to `target`, which was made for the same type. */
export function gatherColumn(target: ColumnBuilder, source: ColumnBuilder, rows: Int32Array, rowCount: number): void {
  if (source.kind === 'boolean' && target.kind === 'boolean') gatherBooleans(target, source, rows, rowCount)
  else if (source.kind === 'int32' && target.kind === 'int32') gatherNumbers(target, source, rows, rowCount)
  else if (source.kind === 'float32' && target.kind === 'float32') gatherNumbers(target, source, rows, rowCount)
  else if (source.kind === 'float64' && target.kind === 'float64') gatherNumbers(target, source, rows, rowCount)
  else if (source.kind === 'int64' && target.kind === 'int64') gatherInt64(target, source, rows, rowCount)
  else if (source.kind === 'decimal' && target.kind === 'decimal') gatherDecimals(target, source, rows, rowCount)
  else if (source.kind === 'bytes' && target.kind === 'bytes') gatherBytes(target, source, rows, rowCount)
  else if (source.kind === 'struct' && target.kind === 'struct') gatherStructs(target, source, rows, rowCount)
  else if (source.kind === 'list' && target.kind === 'list') {
    const elements = gatherSlots(target, source, rows, rowCount)
    gatherColumn(target.element, source.element, elements, elements.length)
  } else if (source.kind === 'map' && target.kind === 'map') {
    const entries = gatherSlots(target, source, rows, rowCount)
    gatherColumn(target.key, source.key, entries, entries.length)
    gatherColumn(target.value, source.value, entries, entries.length)
  } else throw new TypeError(`cannot gather ${source.kind} into ${target.kind}`)
}

function gatherBooleans(target: BooleanBuilder, source: BooleanBuilder, rows: Int32Array, rowCount: number): void {
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!
    if (source.validity[row] === 0) target.pushNull()
    else target.push(source.values[row] === 0 ? 0 : 1)
  }
}

function gatherNumbers(
  target: Int32Builder | Float32Builder | Float64Builder,
  source: Int32Builder | Float32Builder | Float64Builder,
  rows: Int32Array,
  rowCount: number,
): void {
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!
    if (source.validity[row] === 0) target.pushNull()
    else target.push(source.values[row]!)
  }
}

function gatherInt64(target: Int64Builder, source: Int64Builder, rows: Int32Array, rowCount: number): void {
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!
    if (source.validity[row] === 0) target.pushNull()
    else target.pushWords(source.words[row * 2]!, source.words[row * 2 + 1]!)
  }
}

function gatherDecimals(target: DecimalBuilder, source: DecimalBuilder, rows: Int32Array, rowCount: number): void {
  const { words } = source
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!
    const word = row * 4
    if (source.validity[row] === 0) target.pushNull()
    else target.pushWords(words[word]!, words[word + 1]!, words[word + 2]!, words[word + 3]!)
  }
}

function gatherBytes(target: BytesBuilder, source: BytesBuilder, rows: Int32Array, rowCount: number): void {
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!
    if (source.validity[row] === 0) {
      target.pushNull()
      continue
    }
    target.push(source.bytes, source.offsets[row]! + bytesPrefix, source.offsets[row + 1]!)
  }
}

function gatherStructs(target: StructBuilder, source: StructBuilder, rows: Int32Array, rowCount: number): void {
  for (const [index, child] of source.children.entries()) gatherColumn(target.children[index]!, child, rows, rowCount)
  const { length } = target
  if (length + rowCount > target.capacity) target.grow(length + rowCount)
  for (let index = 0; index < rowCount; index++) {
    const valid = source.validity[rows[index]!]!
    target.validity[length + index] = valid
    if (valid === 0) target.nullCount++
  }
  target.length = length + rowCount
}

/** Writes the parents' validity and offsets; returns which child slots follow. */
function gatherSlots(
  target: ListBuilder | MapBuilder,
  source: ListBuilder | MapBuilder,
  rows: Int32Array,
  rowCount: number,
): Int32Array {
  let childCount = 0
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!
    childCount += source.offsets[row + 1]! - source.offsets[row]!
  }
  const children = new Int32Array(childCount)
  const { length } = target
  if (length + rowCount > target.capacity) target.grow(length + rowCount)
  let end = target.offsets[length]!
  let at = 0
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!
    for (let child = source.offsets[row]!; child < source.offsets[row + 1]!; child++) children[at++] = child
    end += source.offsets[row + 1]! - source.offsets[row]!
    const valid = source.validity[row]!
    target.validity[length + index] = valid
    if (valid === 0) target.nullCount++
    target.offsets[length + index + 1] = end
  }
  target.length = length + rowCount
  return children
}

/** The columns of one table. */
export class ColumnSet implements ColumnBatch {
  readonly columns: readonly ColumnBuilder[]
  /** Complete rows. While a row is being decoded, columns may be one longer. */
  rowCount = 0

  constructor(fields: readonly Field[]) {
    this.columns = fields.map(field => createColumn(field.type))
  }

  /** Undoes whatever was pushed after the last complete row. */
  rollback(): void {
    for (const column of this.columns) rollbackColumn(column, this.rowCount)
  }
  reset(): void {
    for (const column of this.columns) resetColumn(column)
    this.rowCount = 0
  }
  measureBytes(): number {
    let bytes = 0
    for (const column of this.columns) bytes += measureColumn(column)
    return bytes
  }
  gather(source: ColumnSet, rows: Int32Array, rowCount: number): void {
    for (const [index, column] of this.columns.entries()) gatherColumn(column, source.columns[index]!, rows, rowCount)
    this.rowCount += rowCount
  }
}
