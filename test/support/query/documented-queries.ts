/** Reads docs/query-language.md: the events, the examples with their results, and the tables. */

import type { Query } from '../../../query/language/ast.ts'
import { evaluateQuery, showCell } from './evaluate-query.ts'
import type { QueryRecord } from './event.ts'
import type { Row } from './rows.ts'

export interface Example {
  readonly query: string
  /** The paragraph or table behind it; empty when none is shown. */
  readonly result: string
}

/** The text of each block with that tag. */
export function blocksOf(page: string, tag: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${tag}\n(.*?)\n\`\`\`$`, 'gms'))].map(match => match[1]!)
}

export function examplesOf(page: string): Example[] {
  return [...page.matchAll(/^```query\n(.*?)\n```\n\n((?:→|\|)[^\n]*(?:\n\|[^\n]*)*)?/gms)].map(match => ({
    query: match[1]!,
    result: match[2] ?? '',
  }))
}

/** Rows of the table with that heading, without their backticks. */
export function tableOf(page: string, heading: string): string[][] {
  const table = page.slice(page.indexOf(heading)).split('\n\n')[0]!
  return table
    .split('\n')
    .slice(2)
    .map(line => [...line.matchAll(/\| `(.*?)` (?=\|)/g)].map(match => match[1]!))
}

export function recordsOf(page: string): QueryRecord[] {
  const [events] = blocksOf(page, 'events')
  return events!.split('\n').map((value, index) => {
    const event = value.startsWith('{')
      ? (JSON.parse(value) as { id: string; time: string; subject: string })
      : undefined
    return {
      topic: 'shop',
      partition: 0,
      offset: BigInt(index),
      timestampMs: Date.parse(event?.time ?? '2026-03-01T10:25:00Z'),
      key: event?.subject ?? null,
      headers: event === undefined ? [] : [['trace', `t-${event.id}`]],
      value,
    }
  })
}

const nowMs = Date.parse('2026-03-01T10:30:00Z')

/** The result as the page shows it: ids behind an arrow, or a table. */
export function showResult(query: Query, records: readonly QueryRecord[]): string {
  const rows = evaluateQuery(query, records, { nowMs, rangeSeconds: 1800 })
  const cells = rows.flatMap(row => (row.kind === 'columns' ? [row.cells] : []))
  if (cells.length === 0) return `→ ${rows.map(nameEvent).join(', ') || 'none'}`
  const names = [...cells[0]!.keys()]
  const line = (parts: readonly string[]): string => `| ${parts.join(' | ')} |`
  return [
    line(names),
    line(names.map(() => '---')),
    ...cells.map(row => line(names.map(name => showCell(row.get(name) ?? null)))),
  ].join('\n')
}

function nameEvent(row: Row): string {
  if (row.kind !== 'event') throw new TypeError('not an event')
  const id = /"id":"(\w+)"/.exec(row.record.value ?? '')?.[1]
  return id ?? `offset ${row.record.offset}`
}
