/** Rows: events at first, columns behind a stage that makes them. A field of a row yields no value, one, or with `[*]` several. */
import type { Field } from '../../../query/language/ast.ts'
import { findColumn } from '../../../query/language/columns.ts'
import { hasEach } from '../../../query/language/names.ts'
import { type Cell, isObject, type QueryRecord, readJson, Time } from './event.ts'

export type Row =
  | { readonly kind: 'event'; readonly record: QueryRecord; readonly value: Cell | undefined }
  | { readonly kind: 'columns'; readonly cells: ReadonlyMap<string, Cell> }

export function eventRow(record: QueryRecord): Row {
  return { kind: 'event', record, value: record.value === null ? undefined : readJson(record.value) }
}

/** The values of the field; empty when it is missing. */
export function valuesOf(row: Row, field: Field): Cell[] {
  if (row.kind === 'columns') {
    const name = findColumn(field, [...row.cells.keys()])
    const cell = name === undefined ? undefined : row.cells.get(name)
    return cell === undefined ? [] : [cell]
  }
  if (field.kind === 'metadata') return metadataOf(row.record, field.name)
  if (field.kind === 'header') {
    const header = row.record.headers.findLast(([name]) => name === field.name)
    return header === undefined ? [] : [header[1]]
  }
  let cells: Cell[] = row.value === undefined ? [] : [row.value]
  for (const step of field.steps) {
    cells = cells.flatMap((cell): Cell[] => {
      if (step.kind === 'name') return isObject(cell) && Object.hasOwn(cell, step.name) ? [cell[step.name]!] : []
      if (!Array.isArray(cell)) return []
      if (step.kind === 'each') return cell as Cell[]
      return step.index < cell.length ? [(cell as Cell[])[step.index]!] : []
    })
  }
  return cells
}

function metadataOf(record: QueryRecord, name: Extract<Field, { kind: 'metadata' }>['name']): Cell[] {
  switch (name) {
    case 'offset':
      return [record.offset]
    case 'partition':
      return [BigInt(record.partition)]
    case 'key':
      return record.key === null ? [] : [record.key]
    case 'timestamp':
      return [new Time(BigInt(record.timestampMs) * 1_000_000n)]
    case 'size':
      return [BigInt(record.value === null ? 0 : new TextEncoder().encode(record.value).length)]
    case 'topic':
      return [record.topic]
  }
}

/** One value for a column: with `[*]` the array of all, null when it is missing. */
export function cellOf(row: Row, field: Field): Cell {
  const values = valuesOf(row, field)
  return hasEach(field) && row.kind === 'event' ? values : (values[0] ?? null)
}
