/**
 * Stages over rows.
 *
 *   stats      one row for each combination of key values, by the order of the keys; without keys one row, even of no events. A key that is
 *              missing is null. With `[*]` an event belongs to the group of each different element, once.
 *   timechart  one row for each bucket from the first to the last event, empty ones with the value of no events; with `by` one for each
 *              bucket and series. `limit n` keeps the n series with most events; all others become one called OTHER.
 *   top        values with how many events have them, most first, then by the order of values; events without the field do not count
 *   facets     for each field of the value: its most frequent values, with counts; fields by name, paths into objects
 *   fields     columns; missing is null
 *   sort       stable; null and missing last in both directions
 *   limit      the first rows
 *   sample     each event by a hash of its partition and offset: the same events every time
 */
import type { Field, Key, Stage, StatsStage, TimechartStage } from '../../../query/language/ast.ts'
import { bucketColumn, columnName, findColumn } from '../../../query/language/columns.ts'
import { formatField, hasEach } from '../../../query/language/names.ts'
import { keepsSample } from '../../../query/language/sampling.ts'
import { parseTime } from '../../../query/language/time.ts'
import { cellKey, compareAny } from './compare-cells.ts'
import { aggregateRows } from './evaluate-aggregate.ts'
import { type Cell, isObject, Time } from './event.ts'
import { cellOf, type Row, valuesOf } from './rows.ts'

export interface QueryScope {
  readonly nowMs: number
  /** The range of time that the query is about, in seconds. */
  readonly rangeSeconds: number
}

export function runStage(stage: Stage, rows: readonly Row[], scope: QueryScope): readonly Row[] {
  switch (stage.kind) {
    case 'stats':
      return runStats(stage, rows, scope)
    case 'timechart':
      return runTimechart(stage, rows, scope)
    case 'top':
      return countValues(rows, stage.field)
        .slice(0, stage.count)
        .map(({ value, count }) => columns([formatField(stage.field), value], ['count', count]))
    case 'facets':
      return runFacets(stage.count ?? 10, rows)
    case 'fields':
      return rows.map(row => columns(...stage.fields.map(field => [nameOf(row, field), cellOf(row, field)] as const)))
    case 'sort':
      return rows.toSorted((a, b) => {
        for (const { field, descending } of stage.keys) {
          const order = compareForSort(cellOf(a, field), cellOf(b, field), descending)
          if (order !== 0) return order
        }
        return 0
      })
    case 'limit':
      return rows.slice(0, stage.count)
    case 'sample':
      return rows.filter(
        row => row.kind === 'event' && keepsSample(row.record.partition, row.record.offset, stage.percent),
      )
    case 'estimate':
      throw new TypeError('an estimate is made by the planner')
  }
}

function columns(...cells: readonly (readonly [string, Cell])[]): Row {
  return { kind: 'columns', cells: new Map(cells) }
}

function nameOf(row: Row, field: Field): string {
  return (row.kind === 'columns' ? findColumn(field, [...row.cells.keys()]) : undefined) ?? formatField(field)
}

function compareForSort(a: Cell, b: Cell, descending: boolean): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0)
  return descending ? compareAny(b, a) : compareAny(a, b)
}

interface Group {
  readonly keys: readonly Cell[]
  readonly rows: Row[]
}

function runStats(stage: StatsStage, rows: readonly Row[], scope: QueryScope): Row[] {
  const groups = groupRows(rows, stage.keys)
  if (stage.keys.length === 0 && groups.length === 0) groups.push({ keys: [], rows: [] })
  const width = stage.keys.find(key => key.width?.kind === 'duration')?.width
  const seconds = width?.kind === 'duration' ? width.ms / 1000 : scope.rangeSeconds
  return groups.map(group =>
    columns(
      ...stage.keys.map((key, index) => [nameOf(group.rows[0]!, key.field), group.keys[index]!] as const),
      ...stage.aggregates.map(
        aggregate =>
          [columnName(aggregate), aggregateRows(aggregate, group.rows, { nowMs: scope.nowMs, seconds })] as const,
      ),
    ),
  )
}

/** In the order of the keys. */
function groupRows(rows: readonly Row[], keys: readonly Key[]): Group[] {
  const groups = new Map<string, Group>()
  for (const row of rows) {
    for (const values of combine(keys.map(key => keyValues(row, key)))) {
      const name = values.map(cellKey).join(' ')
      const group = groups.get(name) ?? { keys: values, rows: [] }
      group.rows.push(row)
      groups.set(name, group)
    }
  }
  return [...groups.values()].toSorted((a, b) => {
    for (const [index, cell] of a.keys.entries()) {
      const order = compareForSort(cell, b.keys[index]!, false)
      if (order !== 0) return order
    }
    return 0
  })
}

function combine(lists: readonly (readonly Cell[])[]): Cell[][] {
  return lists.reduce<Cell[][]>((found, list) => found.flatMap(start => list.map(cell => [...start, cell])), [[]])
}

/** Different values only; [null] when there are none. */
function keyValues(row: Row, key: Key): Cell[] {
  const cells = hasEach(key.field) ? valuesOf(row, key.field) : [cellOf(row, key.field)]
  const buckets = cells.map(cell => bucketOf(cell, key.width))
  const different = new Map(buckets.map(cell => [cellKey(cell), cell]))
  return different.size === 0 ? [null] : [...different.values()]
}

/**
 * The lower end of the bucket: a number for a number, a time for a time or a string that spells one, when the width is a duration; null
 * for everything else.
 */
function bucketOf(cell: Cell, width: Key['width']): Cell {
  if (width === undefined) return cell
  const amount = width.kind === 'number' ? Number(width.value) : width.kind === 'size' ? width.bytes : width.ms
  if (typeof cell === 'number' || typeof cell === 'bigint') {
    if (typeof cell === 'bigint' && Number.isInteger(amount)) {
      const step = BigInt(amount)
      return cell - (((cell % step) + step) % step)
    }
    const low = Math.floor(Number(cell) / amount) * amount
    return Number.isInteger(low) ? BigInt(low) : low
  }
  if (width.kind !== 'duration') return null
  const epochNs = cell instanceof Time ? cell.epochNs : typeof cell === 'string' ? parseTime(cell) : undefined
  if (epochNs === undefined) return null
  const step = BigInt(amount) * 1_000_000n
  return new Time(epochNs - (((epochNs % step) + step) % step))
}

const timestamp: Field = { kind: 'metadata', name: 'timestamp', span: { from: 0, to: 0 } }

function runTimechart(stage: TimechartStage, rows: readonly Row[], scope: QueryScope): Row[] {
  const clock = stage.over ?? timestamp
  const { spanMs } = stage
  if (spanMs === undefined) throw new TypeError('the reference does not choose spans')
  const width = { kind: 'duration' as const, ms: spanMs, span: clock.span }
  const seriesOf = nameSeries(stage, rows)
  const series = new Map<string, Cell>([...seriesOf.values()].flat().map(cell => [cellKey(cell), cell]))
  const buckets = new Map<bigint, Map<string, Row[]>>()
  for (const row of rows) {
    const bucket = asTime(bucketOf(cellOf(row, clock), width))
    if (bucket === undefined) continue
    const found = buckets.get(bucket) ?? new Map<string, Row[]>()
    for (const cell of seriesOf.get(row)!) {
      found.set(cellKey(cell), [...(found.get(cellKey(cell)) ?? []), row])
    }
    buckets.set(bucket, found)
  }
  const result: Row[] = []
  const times = [...buckets.keys()].toSorted((a, b) => (a < b ? -1 : 1))
  if (times.length === 0) return result
  for (let at = times[0]!; at <= times.at(-1)!; at += BigInt(spanMs) * 1_000_000n) {
    const ordered = [...series].toSorted((a, b) => compareSeries(a[1], b[1]))
    for (const [name, cell] of ordered) {
      const inBucket = buckets.get(at)?.get(name) ?? []
      const value = aggregateRows(stage.aggregate, inBucket, { nowMs: scope.nowMs, seconds: spanMs / 1000 })
      const by = stage.by === undefined ? [] : [[formatField(stage.by), cell] as const]
      result.push(columns([bucketColumn, new Time(at)], ...by, [columnName(stage.aggregate), value]))
    }
  }
  return result
}

/** A number is milliseconds on the clock. */
function asTime(cell: Cell): bigint | undefined {
  if (cell instanceof Time) return cell.epochNs
  return typeof cell === 'bigint' ? cell * 1_000_000n : undefined
}

const other = 'OTHER'

/** OTHER comes last. */
function compareSeries(a: Cell, b: Cell): number {
  if (a === other || b === other) return (a === other ? 1 : 0) - (b === other ? 1 : 0)
  return compareForSort(a, b, false)
}

/** The series that each row belongs to. */
function nameSeries(stage: TimechartStage, rows: readonly Row[]): Map<Row, Cell[]> {
  const { by } = stage
  if (by === undefined) return new Map(rows.map(row => [row, [null]]))
  const key: Key = { field: by, width: undefined, span: by.span }
  const groups = groupRows(rows, [key]).toSorted((a, b) => b.rows.length - a.rows.length)
  const kept = new Set(groups.slice(0, stage.limit).map(group => cellKey(group.keys[0]!)))
  return new Map(
    rows.map(row => {
      const named = keyValues(row, key).map(cell => (kept.has(cellKey(cell)) ? cell : other))
      return [row, [...new Map(named.map(cell => [cellKey(cell), cell])).values()]]
    }),
  )
}

function countValues(rows: readonly Row[], field: Field): { value: Cell; count: bigint }[] {
  const groups = groupRows(rows, [{ field, width: undefined, span: field.span }])
  return groups
    .filter(group => group.keys[0] !== null)
    .map(group => ({ value: group.keys[0]!, count: BigInt(group.rows.length) }))
    .toSorted((a, b) => Number(b.count - a.count))
}

function runFacets(count: number, rows: readonly Row[]): Row[] {
  const fields = new Map<string, Field>()
  for (const row of rows) {
    if (row.kind === 'event' && row.value !== undefined) collectFields(row.value, [], fields)
  }
  return [...fields]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, field]) =>
      countValues(rows, field)
        .slice(0, count)
        .map(each => columns(['field', name], ['value', each.value], ['count', each.count])),
    )
}

/** Fields that hold something else than an object; elements of arrays as `[*]`. */
function collectFields(cell: Cell, steps: Extract<Field, { kind: 'path' }>['steps'], fields: Map<string, Field>): void {
  if (isObject(cell)) {
    for (const [name, part] of Object.entries(cell)) collectFields(part, [...steps, { kind: 'name', name }], fields)
  } else if (Array.isArray(cell)) {
    for (const part of cell as readonly Cell[]) collectFields(part, [...steps, { kind: 'each' }], fields)
  } else if (steps[0]?.kind === 'name' && cell !== null) {
    const field: Field = { kind: 'path', steps, span: { from: 0, to: 0 } }
    fields.set(formatField(field), field)
  }
}
