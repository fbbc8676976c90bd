/**
 * The readers, what each of them is asked, and in what a reader is known to differ. A known difference is as narrow as it can be
 * said and is checked itself, so that a reader that loses it, or gets worse, is noticed. docs/compatibility.md tells the causes.
 */
import { icebirdReader, icebirdText } from './ask-icebird.ts'
import { trinoReader } from './ask-trino.ts'
import {
  type Canonical,
  canonical,
  isList,
  isRow,
  rowText,
  type SampleColumn,
  type SampleRow,
  type SampleType,
  type SampleValue,
} from './columns.ts'
import type { PublishedSample } from './publish-samples.ts'
import { type Answer, expectedAnswer, type Question, valueAtPath } from './questions.ts'
import type { SampleTable } from './sample-tables.ts'

export interface Reader {
  readonly name: string
  /** What is wrong with an answer; undefined: nothing. */
  judge(sample: PublishedSample, question: Question, answer: Answer | undefined): string | undefined
}

interface ReaderTraits {
  /** Whether a version is named by its snapshot; then one without data cannot be. */
  readonly bySnapshot: boolean
  /** `lost`: engine that has NaN above all numbers, over Iceberg bounds, which leave NaN out: some may be pruned away. */
  readonly nan: 'largest' | 'unordered' | 'lost'
  /** It knows no filters, or they are asked through its other way in. */
  readonly asksFilters?: boolean
  readonly isSlow?: boolean
  readonly toText?: (columns: readonly SampleColumn[], row: SampleRow, table: SampleTable) => string
  /** Undefined: as any other. Else whether the answer is what the reader is known to say. */
  readonly known?: (sample: PublishedSample, question: Question, answer: Answer) => boolean | undefined
}

function makeReader(name: string, traits: ReaderTraits): Reader {
  const { bySnapshot, nan, asksFilters = true, isSlow = false, toText, known } = traits
  const isAsked = (question: Question): boolean =>
    (asksFilters || question.kind !== 'keys') &&
    (!isSlow || question.forAll) &&
    (!bySnapshot || question.version?.snapshotId !== null)
  return {
    name,
    judge(sample, question, answer) {
      if (answer === undefined) return isAsked(question) ? 'no answer' : undefined
      const isKnown = known?.(sample, question, answer)
      if (isKnown === true) return undefined
      const rowToText =
        toText && ((columns: readonly SampleColumn[], row: SampleRow) => toText(columns, row, sample.table))
      const most = expectedAnswer(sample, question, nan === 'unordered' ? 'unordered' : 'largest', rowToText)
      if (nan === 'lost' && question.where.length > 0) {
        const least = expectedAnswer(sample, question, 'unordered')
        return isSubset(least, answer) && isSubset(answer, most) ? undefined : describeDifference(most, answer)
      }
      return describeDifference(most, answer)
    },
  }
}

const isSubset = (part: Answer, whole: Answer): boolean => {
  if (!Array.isArray(part) || !Array.isArray(whole)) return false
  const members = new Set<unknown>(whole)
  return part.every(each => members.has(each))
}

function describeDifference(expected: Answer, answer: Answer): string | undefined {
  const [wanted, got] = [JSON.stringify(expected), JSON.stringify(answer)]
  if (wanted === got) return undefined
  if (!Array.isArray(expected) || !Array.isArray(answer))
    return `${got.slice(0, 600)} instead of ${wanted.slice(0, 200)}`
  const missing = expected.filter(each => !answer.includes(each))
  const surplus = answer.filter(each => !expected.includes(each))
  const show = (values: readonly unknown[]): string => `${values.length} [${String(values.slice(0, 2)).slice(0, 1500)}]`
  return `${answer.length} of ${expected.length} rows; missing ${show(missing)}; surplus ${show(surplus)}`
}

// ── Known differences ────────────────────────────────────────────────────────────────────────────────────────────────

/** PyIceberg makes a null list or map of structs an empty one. */
const pyIcebergText = (columns: readonly SampleColumn[], row: SampleRow): string =>
  rowText(columns.map(({ name, type }) => emptyForNull(type, row[name] ?? null)))

function emptyForNull(type: SampleType, value: SampleValue): Canonical {
  const isOfStructs =
    (type.kind === 'list' && type.element.kind === 'struct') || (type.kind === 'map' && type.value.kind === 'struct')
  if (value === null) return isOfStructs ? [] : null
  if (type.kind === 'struct' && isRow(value)) {
    return type.fields.map(field => emptyForNull(field.type, value[field.name] ?? null))
  }
  if (type.kind === 'list' && isList(value)) return value.map(each => emptyForNull(type.element, each))
  return canonical(type, value)
}

/** Iceberg's reader for Spark sets fields by which a table is partitioned, so that the struct around them is never null. */
const sparkIcebergText = (columns: readonly SampleColumn[], row: SampleRow, { partition }: SampleTable): string => {
  const isFilled = (name: string): boolean =>
    partition.partition_by?.some(field => field.startsWith(`${name}.`)) === true
  return rowText(
    columns.map(({ name, type }) => canonical(type, isFilled(name) ? (row[name] ?? {}) : (row[name] ?? null))),
  )
}

/** PyIceberg takes an infinity for a number beyond the range of a float column: always or never true. */
function knownToPyIceberg({ rows }: PublishedSample, { where }: Question, answer: Answer): boolean | undefined {
  const [condition] = where
  if (condition?.type.kind !== 'float' || typeof condition.value !== 'number') return undefined
  if (Number.isFinite(condition.value)) return undefined
  const isAlways = condition.op === (condition.value > 0 ? '<=' : '>=')
  const all = rows.map(row => Number(row.k)).sort((a, b) => a - b)
  return JSON.stringify(answer) === JSON.stringify(isAlways ? all : [])
}

/** A delta-rs dataset skips a file without bounds of a column when another file has them; ours are left out beside NaN and infinity. */
function knownToDeltaDataset(sample: PublishedSample, question: Question, answer: Answer): boolean | undefined {
  const [condition] = question.where
  if (condition === undefined || typeof condition.value !== 'number' || sample.table.format === 'json') return undefined
  if (condition.type.kind !== 'float' && condition.type.kind !== 'double') return undefined
  return isSubset(answer, expectedAnswer(sample, question, 'unordered'))
}

/** DuckDB's day() rounds toward 1970 and not down, so that it looks for days before 1970 in the wrong partition. */
function knownToDuckDb(sample: PublishedSample, question: Question, answer: Answer): boolean | undefined {
  const [condition] = question.where
  if (condition === undefined || condition.value === null) return undefined
  if (!sample.table.partition.partition_by?.includes(`day(${condition.path.join('.')})`)) return undefined
  if (condition.type.kind !== 'timestamptz' && condition.type.kind !== 'timestamp') return undefined
  const expected = expectedAnswer(sample, question, 'largest')
  if (!isSubset(answer, expected) || !Array.isArray(expected) || !Array.isArray(answer)) return false
  const isBefore1970 = (k: unknown): boolean => {
    const row = sample.rows.find(each => each.k === k)
    const value = row === undefined ? null : valueAtPath(row, condition.path)
    return typeof value === 'bigint' && value < 0n
  }
  return expected.every(k => answer.includes(k) || isBefore1970(k))
}

/** icebird refuses a version without data. */
function knownToIcebird({ rows }: PublishedSample, { version }: Question, answer: Answer): boolean | undefined {
  if ((version?.rowCount ?? rows.length) > 0 || typeof answer !== 'object' || !('error' in answer)) return undefined
  return answer.error.includes('No current snapshot id found')
}

export const readers: readonly Reader[] = [
  makeReader('PyIceberg, REST catalog', {
    bySnapshot: true,
    nan: 'unordered',
    toText: pyIcebergText,
    known: knownToPyIceberg,
  }),
  makeReader('PyIceberg, metadata file', {
    bySnapshot: false,
    nan: 'unordered',
    asksFilters: false,
    toText: pyIcebergText,
  }),
  makeReader('delta-rs, PyArrow dataset', { bySnapshot: false, nan: 'unordered', known: knownToDeltaDataset }),
  makeReader('delta-rs, SQL', { bySnapshot: false, nan: 'largest' }),
  makeReader('DuckDB, Iceberg REST catalog', { bySnapshot: true, nan: 'lost', known: knownToDuckDb }),
  makeReader('DuckDB, Iceberg metadata file', { bySnapshot: false, nan: 'lost', known: knownToDuckDb }),
  makeReader('DuckDB, Delta', { bySnapshot: false, nan: 'largest' }),
  makeReader(icebirdReader, {
    bySnapshot: false,
    nan: 'unordered',
    asksFilters: false,
    toText: icebirdText,
    known: knownToIcebird,
  }),
  makeReader('Spark, Iceberg REST catalog', { bySnapshot: true, nan: 'lost', isSlow: true, toText: sparkIcebergText }),
  makeReader('Spark, Delta', { bySnapshot: false, nan: 'largest', isSlow: true }),
  makeReader(trinoReader, { bySnapshot: true, nan: 'unordered', isSlow: true }),
]
