/**
 * What every reader is asked about a table, and what it should answer: the whole table, its count, filters at each column's
 * exact minimum and maximum, null or not, filters by partition, and earlier versions. A filter is answered by the sorted `k` of
 * its rows.
 */
import { createHash } from 'node:crypto'
import {
  canonicalRow,
  compareScalars,
  dateText,
  decimalText,
  isRow,
  rowText,
  type SampleColumn,
  type SampleRow,
  type SampleType,
  type SampleValue,
  timestampText,
} from './columns.ts'
import type { PublishedSample, SampleVersion } from './publish-samples.ts'

export interface Condition {
  readonly path: readonly string[]
  readonly type: SampleType
  readonly op: '=' | '>=' | '<=' | 'is null' | 'is not null'
  /** Null where the operator takes none. */
  readonly value: SampleValue
}

export interface Question {
  readonly id: string
  readonly kind: 'rows' | 'digest' | 'keys' | 'count'
  /** All of them hold. */
  readonly where: readonly Condition[]
  /** The newest, when undefined. */
  readonly version: SampleVersion | undefined
  /** Whether engines are asked, too, that take long for each question. */
  readonly forAll: boolean
}

/**
 * rows: sorted text of rows; digest: how many and SHA-256 of that text, for tables too large to hand around; keys: sorted; or why
 * there is no answer.
 */
export type Answer = readonly string[] | string | readonly number[] | number | { readonly error: string }

/** In what engines differ, and may. `largest`: NaN = NaN and above infinity; `unordered`: no comparison with it is true. */
export type NanOrder = 'largest' | 'unordered'

// ── Asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export function askAbout(sample: PublishedSample): Question[] {
  const { table, columns, rows, versions } = sample
  const questions: Question[] = []
  const ask = (kind: Question['kind'], where: readonly Condition[], version?: SampleVersion, forAll = true): void => {
    const conditions = where.map(describeCondition).join(' and ')
    const at = version === undefined ? '' : ` at version ${version.deltaVersion}`
    questions.push({ id: [`${kind}${at}`, conditions].filter(Boolean).join(' where '), kind, where, version, forAll })
  }
  ask('rows', [])
  ask('count', [])
  for (const [index, version] of versions.entries()) {
    if (index === 0 || index === versions.length - 1) ask('count', [], version)
    else if (index === 1 || index === versions.length >> 1) ask('rows', [], version)
  }
  for (const column of table.filteredColumns) {
    const path = column.split('.')
    const type = typeAtPath(columns, path)
    const values = distinctValues(rows, path)
    const compare = (op: Condition['op'], value: SampleValue, forAll = true): void =>
      ask('keys', [{ path, type, op, value }], undefined, forAll)
    for (const value of chooseValues(values, table.probedColumns.includes(column))) compare('=', value)
    const [least, greatest] = [values[0], values.at(-1)]
    if (least !== undefined && greatest !== undefined) {
      compare('<=', least)
      compare('>=', greatest)
      compare('>=', least, false)
      compare('<=', greatest, false)
    }
    compare('is null', null)
    compare('is not null', null, false)
  }
  for (const { path, type, buckets } of listTimeBuckets(sample)) {
    for (const { first, last } of buckets) {
      ask('keys', [
        { path, type, op: '>=', value: first },
        { path, type, op: '<=', value: last },
      ])
    }
  }
  return questions.filter((question, index) => questions.findIndex(other => other.id === question.id) === index)
}

function typeAtPath(of: readonly SampleColumn[], path: readonly string[]): SampleType {
  const [name, ...inner] = path
  const type = of.find(column => column.name === name)?.type
  if (type === undefined) throw new Error(`there is no column ${String(name)}`)
  return inner.length > 0 && type.kind === 'struct' ? typeAtPath(type.fields, inner) : type
}

export function valueAtPath(row: SampleRow, path: readonly string[]): SampleValue {
  let value: SampleValue = row
  for (const name of path) value = value !== null && isRow(value) ? (value[name] ?? null) : null
  return value
}

/** In order, without null and NaN; both zeros where both are there. */
function distinctValues(rows: readonly SampleRow[], path: readonly string[]): SampleValue[] {
  const values = rows.map(row => valueAtPath(row, path)).filter(value => value !== null && !Number.isNaN(value))
  return values
    .sort(compareScalars)
    .filter((value, index) => !values.slice(0, index).some(other => isSame(other, value)))
}

const isSame = (a: SampleValue, b: SampleValue): boolean =>
  a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : Object.is(a, b)

/** The least, the greatest, both zeros; all of a probed column. */
function chooseValues(values: readonly SampleValue[], isProbed: boolean): readonly SampleValue[] {
  if (isProbed) return values.filter(value => typeof value !== 'string' || !value.includes('\0'))
  return values.filter((value, index) => index === 0 || index === values.length - 1 || value === 0)
}

const hourMicros = 3_600_000_000n

/** The hours and days of the timestamps that a table is partitioned by, each with its first and last microsecond. */
function listTimeBuckets({ table, columns, rows }: PublishedSample) {
  const fields = table.partition.partition_by ?? (table.partition.partitioning_scheme ? ['hour(floe.timestamp)'] : [])
  return fields.flatMap(field => {
    const [, transform, column = ''] = /^(day|hour)\((.*)\)$/.exec(field) ?? []
    const path = column.split('.')
    if (transform === undefined) return []
    const type = typeAtPath(columns, path)
    if (type.kind === 'date') return []
    const width = transform === 'day' ? 24n * hourMicros : hourMicros
    const values = rows.map(row => valueAtPath(row, path)).filter(value => typeof value === 'bigint')
    const starts = new Set(values.map(value => value - (((value % width) + width) % width)))
    return [{ path, type, buckets: [...starts].map(first => ({ first, last: first + width - 1n })) }]
  })
}

/** A value as people write it, and as literals of SQL are made from. */
export function literalText(type: SampleType, value: SampleValue): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (type.kind === 'decimal' && typeof value === 'bigint') return decimalText(value, type.scale)
  if (type.kind === 'date') return dateText(Number(value))
  if ((type.kind === 'timestamp' || type.kind === 'timestamptz') && typeof value === 'bigint')
    return timestampText(value, ' ')
  return Object.is(value, -0) ? '-0.0' : String(value)
}

function describeCondition({ path, type, op, value }: Condition): string {
  const column = path.join('.')
  if (value === null) return `${column} ${op}`
  const text = literalText(type, value)
  const shown = text.length <= 60 ? text : `${text.slice(0, 50)}… (${text.length})`
  return `${column} ${op} ${type.kind === 'string' || type.kind === 'binary' ? JSON.stringify(shown) : shown}`
}

// ── Knowing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `toText` makes the text of a row: readers that lose digits are compared in what they keep. */
export function expectedAnswer(
  sample: PublishedSample,
  question: Question,
  nan: NanOrder,
  toText: (columns: readonly SampleColumn[], row: SampleRow) => string = (of, row) => rowText(canonicalRow(of, row)),
): Answer {
  const { kind, where, version } = question
  const shown = sample.rows.slice(0, version?.rowCount ?? sample.rows.length)
  const chosen = shown.filter(row => where.every(condition => holds(condition, row, nan)))
  if (kind === 'count') return chosen.length
  if (kind === 'keys') return chosen.map(row => Number(row.k)).sort((a, b) => a - b)
  return answerRows(
    kind,
    chosen.map(row => toText(sample.columns, row)),
  )
}

export function answerRows(kind: 'rows' | 'digest', texts: string[]): Answer {
  const sorted = texts.sort(compareText)
  if (kind === 'rows') return sorted
  return `${sorted.length} ${createHash('sha256').update(sorted.join('\n')).digest('hex')}`
}

/** By code points, as Python sorts. */
export const compareText = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

function holds({ path, op, value: bound }: Condition, row: SampleRow, nan: NanOrder): boolean {
  const value = valueAtPath(row, path)
  if (op === 'is null') return value === null
  if (op === 'is not null') return value !== null
  if (value === null) return false
  // The bound is never a NaN.
  if (Number.isNaN(value)) return nan === 'largest' && op === '>='
  const order = compareScalars(value, bound)
  return op === '=' ? order === 0 : op === '>=' ? order >= 0 : order <= 0
}
