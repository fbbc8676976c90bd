/** Candidates from what is known of the events. */

import { escapeGlob } from '../glob.ts'
import { formatNumber, formatSize } from '../measure.ts'
import { formatString } from '../strings.ts'
import { countSeen, type FieldKnowledge, type ObservedType } from './knowledge.ts'
import type { Candidate } from './rank.ts'

/** The most often seen first, then by name. */
export function fieldCandidates(fields: readonly FieldKnowledge[]): Candidate[] {
  return fields
    .map(field => ({ field, seen: countSeen(field) }))
    .toSorted((a, b) => b.seen - a.seen || compareText(a.field.path, b.field.path))
    .map(({ field, seen }) => ({
      label: field.path,
      insert: field.path,
      kind: 'field' as const,
      ...describeField(field, seen),
    }))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function describeField(field: FieldKnowledge, seen: number): { detail?: string } {
  const parts: string[] = typesByCount(field)
  if (seen > 0) parts.push(`in ${seen}`)
  const example = mostFrequent(field)[0]
  if (example !== undefined) parts.push(`e.g. ${String(example.value).slice(0, 40)}`)
  return parts.length === 0 ? {} : { detail: parts.join(', ') }
}

function typesByCount({ types }: FieldKnowledge): ObservedType[] {
  const entries = Object.entries(types) as [ObservedType, number][]
  return entries.toSorted((a, b) => b[1] - a[1]).map(([type]) => type)
}

function mostFrequent(field: FieldKnowledge) {
  return (field.values ?? []).toSorted((a, b) => b.count - a.count)
}

const operatorsByType: Readonly<Record<ObservedType, readonly string[]>> = {
  string: ['==', '!=', 'contains', 'in', 'not in', 'startsWith', 'endsWith', 'like', '=~', '!~'],
  number: ['>', '>=', '<', '<=', '==', '!=', 'between', 'not between', 'in', 'not in'],
  time: ['>=', '<', 'between', '>', '<=', '==', '!='],
  boolean: ['==', '!='],
  null: ['==', '!='],
  object: [],
  array: [],
}

const negatable = new Set(['in', 'between', 'contains', 'startsWith', 'endsWith', 'like'])

/** Those of the type seen most often first, and all others behind. */
export function operatorCandidates(
  fields: readonly FieldKnowledge[],
  place: { readonly field: string; readonly isNegated: boolean },
): Candidate[] {
  const known = fields.find(field => field.path === place.field)
  const types = known === undefined ? [] : typesByCount(known)
  const operators = new Set([...types, 'string' as const, 'number' as const].flatMap(type => operatorsByType[type]))
  return [...operators]
    .filter(operator => !place.isNegated || negatable.has(operator))
    .map(operator => ({ label: operator, insert: operator, kind: 'operator' as const }))
}

const stringOperators = new Set(['contains', 'startswith', 'endswith', 'like', '=~', '!~'])

/** Frequent values of the field, then its smallest and largest number, then what its types suggest. */
export function valueCandidates(
  fields: readonly FieldKnowledge[],
  place: { readonly field: string; readonly operator: string; readonly taken: readonly string[] },
): Candidate[] {
  const known = fields.find(field => field.path === place.field)
  const onlyStrings = stringOperators.has(place.operator.replaceAll('_', ''))
  const candidates: Candidate[] = []
  for (const { value, count } of known === undefined ? [] : mostFrequent(known)) {
    if (onlyStrings && typeof value !== 'string') continue
    candidates.push({
      label: String(value),
      insert: typeof value === 'string' ? writeString(value, place.operator) : formatPlain(value),
      kind: 'value',
      detail: `${count} times`,
    })
  }
  if (onlyStrings) return candidates.filter(({ insert }) => !place.taken.includes(insert))
  for (const [name, value] of [
    ['min', known?.min],
    ['max', known?.max],
  ] as const) {
    if (value === undefined) continue
    candidates.push({ label: formatNumber(value), insert: formatNumber(value), kind: 'value', detail: name })
  }
  for (const text of valuesByType(known)) candidates.push({ label: text, insert: text, kind: 'value' })
  const seen = new Set(place.taken)
  return candidates.filter(({ insert }) => !seen.has(insert) && seen.add(insert))
}

function formatPlain(value: number | bigint | boolean): string {
  return typeof value === 'boolean' ? String(value) : formatNumber(value)
}

/** The value as the operand that finds it. */
function writeString(value: string, operator: string): string {
  if (operator === 'like') return formatString(escapeGlob(value))
  if (operator === '=~' || operator === '!~') return formatString(value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return formatString(value)
}

function valuesByType(known: FieldKnowledge | undefined): string[] {
  const types = known === undefined ? [] : typesByCount(known)
  return types.flatMap(type => {
    if (type === 'boolean') return ['true', 'false']
    if (type === 'null') return ['null']
    return type === 'time' ? ['now - 15m', 'now - 1h', 'now - 24h', 'now'] : []
  })
}

/** Units for the number at the cursor. */
export function unitCandidates(prefix: string, isQuoted: boolean): Candidate[] {
  const match = isQuoted ? null : /^(\d+(?:\.\d+)?)[A-Za-z]*$/.exec(prefix)
  if (match === null) return []
  return units.map(unit => {
    const text = `${match[1]}${unit}`
    return { label: text, insert: text, kind: 'unit' as const }
  })
}

const units = ['ms', 's', 'm', 'h', 'd', 'w', 'B', 'KB', 'MB', 'GB', 'KiB', 'MiB', 'GiB']

/** Widths of buckets: durations, and for numbers a tenth of what they span. */
export function widthCandidates(known: FieldKnowledge | undefined): Candidate[] {
  const widths: string[] = []
  if (known?.min !== undefined && known.max !== undefined && known.max > known.min) {
    const step = 10 ** Math.floor(Math.log10((known.max - known.min) / 10))
    widths.push(formatNumber(step), ...(step >= 1000 ? [formatSize(1024 * Math.round(step / 1000))] : []))
  }
  if (known?.types.number === undefined || known.types.time !== undefined) widths.push(...durations)
  else widths.push(...durations.slice(0, 2))
  return widths.map(text => ({ label: text, insert: text, kind: 'value' as const }))
}

const durations = ['1m', '5m', '15m', '1h', '1d', '10s']
