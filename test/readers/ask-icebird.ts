/**
 * icebird, a JavaScript reader of Iceberg metadata files, in this process. It knows no filters, and no store but HTTP: what it
 * fetches is served from the store's files here.
 *
 * It hands out JavaScript's own values, so that digits are lost on the way: timestamps have milliseconds (cut toward 1970),
 * decimals are doubles not always the nearest, binary was decoded as UTF-8. The expected rows are cut in the same way (`icebirdText`).
 */
import { icebergRead } from 'icebird'
import {
  type Canonical,
  canonical,
  decimalText,
  isList,
  isRow,
  rowText,
  type SampleColumn,
  type SampleRow,
  type SampleType,
  type SampleValue,
} from './columns.ts'
import { type Answers, type AskedSample, metadataUri } from './job.ts'
import { type Answer, answerRows, compareText } from './questions.ts'

export const icebirdReader = 'icebird, metadata file'

/** Where its requests go: the bytes behind a URL. */
export type ReadUrl = (url: URL) => Promise<Uint8Array>

export async function askIcebird(asked: readonly AskedSample[], readUrl: ReadUrl): Promise<Answers> {
  const answers: Record<string, Record<string, Answer>> = {}
  const networkFetch = globalThis.fetch
  globalThis.fetch = (input, init) => answerFetch(readUrl, String(input), new Headers(init?.headers))
  try {
    for (const { sample, questions } of asked) {
      const ofTable: Record<string, Answer> = {}
      answers[sample.table.name] = ofTable
      for (const question of questions) {
        if (question.kind === 'keys') continue
        const metadataFileName = metadataUri(sample, question).split('/').at(-1)!
        try {
          const rows = (await icebergRead({ tableUrl: sample.location, metadataFileName })) as Record<string, unknown>[]
          ofTable[question.id] =
            question.kind === 'count'
              ? rows.length
              : answerRows(
                  question.kind,
                  rows.map(row => rowText(structText(sample.columns, row))),
                )
        } catch (error) {
          ofTable[question.id] = { error: String(error) }
        }
      }
    }
  } finally {
    globalThis.fetch = networkFetch
  }
  return { [icebirdReader]: answers }
}

async function answerFetch(readUrl: ReadUrl, url: string, headers: Headers): Promise<Response> {
  const bytes = Uint8Array.from(await readUrl(new URL(url)))
  const range = /^bytes=(\d+)-(\d*)$/.exec(headers.get('range') ?? '')
  if (range === null) return new Response(bytes, { headers: { 'content-length': `${bytes.length}` } })
  const end = range[2] === '' ? bytes.length : Number(range[2]) + 1
  return new Response(bytes.subarray(Number(range[1]), end), { status: 206 })
}

const structText = (columns: readonly SampleColumn[], row: Record<string, unknown>): Canonical[] =>
  columns.map(({ name, type }) => valueText(type, row[name]))

function valueText(type: SampleType, written: unknown): Canonical {
  const value = type.kind === 'list' ? written : unwrap(written)
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'struct':
      return structText(type.fields, value as Record<string, unknown>)
    case 'list':
      return (value as unknown[]).map(each => valueText(type.element, each))
    case 'map':
      return Object.entries(value)
        .map(([key, each]): [string, Canonical] => [key, valueText(type.value, each)])
        .sort(([a], [b]) => compareText(a, b))
    case 'decimal':
      return decimalDigits(value as number)
    case 'date':
      return String((value as Date).getTime() / 86_400_000)
    case 'timestamp':
    case 'timestamptz':
      return String((value as Date).getTime())
    case 'binary':
      return String(value)
    default:
      return canonical(type, value as SampleValue)
  }
}

/** The hyparquet 1.19.0 inside icebird 0.3.1 makes [value] of an optional field of a required struct that has no nulls. */
const unwrap = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value)

const decimalDigits = (value: number): string => value.toPrecision(13)

/** A row as icebird can say it. */
export const icebirdText = (columns: readonly SampleColumn[], row: SampleRow): string =>
  rowText(columns.map(({ name, type }) => cutText(type, row[name] ?? null)))

function cutText(type: SampleType, value: SampleValue): Canonical {
  if (value === null) return null
  if (type.kind === 'struct' && isRow(value)) {
    return type.fields.map(field => cutText(field.type, value[field.name] ?? null))
  }
  if (type.kind === 'list' && isList(value)) return value.map(each => cutText(type.element, each))
  if (type.kind === 'map' && value instanceof Map) {
    return [...value]
      .map(([key, each]): [string, Canonical] => [key, cutText(type.value, each)])
      .sort(([a], [b]) => compareText(a, b))
  }
  if (type.kind === 'decimal' && typeof value === 'bigint') {
    return decimalDigits(Number(decimalText(value, type.scale)))
  }
  if ((type.kind === 'timestamp' || type.kind === 'timestamptz') && typeof value === 'bigint') {
    return String(value / 1000n)
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  return canonical(type, value)
}
