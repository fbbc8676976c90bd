import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BatchCursor } from '../../../../kafka/records/batch.ts'
import { buildBatch } from '../../../../kafka/records/build.ts'
import { compileFilter } from '../../../../query/filter/compile-filter.ts'
import { FieldPlan } from '../../../../query/filter/field-plan.ts'
import { PendingRecords, RecordBlock } from '../../../../query/filter/record-block.ts'
import { blockRowsMax, Kernel } from '../../../../query/kernel/kernel.ts'
import type { Filter } from '../../../../query/language/ast.ts'
import { parseQuery } from '../../../../query/language/parse.ts'
import { arbitraryRecords, filterNowMs, meetingFilter, meetingTest } from '../../../support/query/arbitrary-records.ts'
import { passes } from '../../../support/query/evaluate-filter.ts'
import type { QueryRecord } from '../../../support/query/event.ts'
import { eventRow } from '../../../support/query/rows.ts'

const given = 0
const passing = 1

/** The offsets of the records that pass, the records being a batch of a topic. */
function select(filter: Filter, records: readonly QueryRecord[]): bigint[] {
  const plan = new FieldPlan(2)
  const rowFilter = compileFilter(filter, plan, filterNowMs)
  const { kernelPlan, headerNames } = plan.finish()
  const block = new RecordBlock(new Kernel(kernelPlan), headerNames)
  const pending = pendingRecords(records)
  const offsets: bigint[] = []
  for (let isMore = true; isMore; ) {
    block.start(records[0]!.topic, records[0]!.partition)
    isMore = block.fill(pending)
    block.kernel.project()
    const rows = block.kernel.selection(given)
    for (let row = 0; row < block.rowCount; row++) rows[row] = row
    const count = rowFilter.select(block, given, block.rowCount, passing)
    expect([...block.kernel.selection(given).subarray(0, block.rowCount)]).toEqual([...Array(block.rowCount).keys()])
    for (const row of block.kernel.selection(passing).subarray(0, count)) offsets.push(BigInt(block.offsets[row]!))
  }
  return offsets
}

function pendingRecords(records: readonly QueryRecord[]): PendingRecords {
  const bytes = buildBatch(
    records.map(({ key, value, timestampMs, headers }) => ({
      key: key === null ? null : Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
      timestampMs: BigInt(timestampMs),
      headers: headers.map(([name, text]) => ({ key: name, value: Buffer.from(text) })),
    })),
    { baseOffset: records[0]!.offset },
  )
  const batch = new BatchCursor(bytes)
  batch.next()
  return new PendingRecords(batch.payload, {
    baseOffset: Number(batch.baseOffset),
    baseTimestampMs: Number(batch.baseTimestamp),
    appendTimestampMs: undefined,
    recordCount: batch.recordCount,
  })
}

test.each([
  ['every test', meetingTest, 5000],
  ['every filter', meetingFilter, 1500],
])('%s lets the records pass that the plain evaluator lets pass', { timeout: 120_000 }, (_, filters, numRuns) => {
  fc.assert(fc.property(filters, arbitraryRecords, expectSame), { numRuns })
})

test.each([
  ['a == "\\ud83d" and a != "\\ud83e" and not a == "\ufffd"', '{"a":"\\ud83d"}'],
  ['a > "\\ue000" and a > "\\ud83d\\ue000"', '{"a":"😀"}'],
  ['a[*] > "\\ue000" and a[*] > "\\ud83d\\ue000"', '{"a":["😀"]}'],
  ['a[0] < "😀"', '{"a":["\\ud83d\\ud83d\\ude00"]}'],
  ['not exists(a[*].b)', '{"a":[[{"b":1}]]}'],
  ['a[*] < 2026-03-01T10:00:00.0000005Z and a[*] > 2026-03-01T10:00:00Z', '{"a":[1772359200000.0003]}'],
  ['a == 1000 and a < 1000.5 and b > 1e300 and c == 9007199254740993', '{"a":1e3,"b":1e400,"c":9007199254740993}'],
  ['@timestamp < 2026-03-01T10:00:00.001000001Z and @timestamp >= 2026-03-01T10:00:00.000999999Z', '{}'],
  ['@timestamp > 2026-03-01T10:00:00.000999999Z and @timestamp <= 2026-03-01T10:00:00.001000001Z', '{}'],
  ['@timestamp != 2026-03-01T10:00:00.001000001Z and @timestamp == 2026-03-01T10:00:00.001Z', '{}'],
])('%s passes %s', (text, value) => {
  const records = [
    { topic: 'clicks', partition: 0, offset: 5n, timestampMs: filterNowMs, key: null, headers: [], value },
  ]
  const { query } = parseQuery(text)
  expect(select(query!.filter!, records)).toEqual([5n])
  expectSame(query!.filter!, records)
})

test('a value with too many brackets within each other has no fields, and does not fail the query', () => {
  const value = (depth: number): string => `{"a":${'['.repeat(depth)}1${']'.repeat(depth)}}`
  const records = [1, 1023, 1024, 300_000].map((depth, index) => ({
    topic: 'clicks',
    partition: 0,
    offset: BigInt(index),
    timestampMs: filterNowMs,
    key: null,
    headers: [],
    value: value(depth),
  }))
  expect(select(parseQuery('a[*] != 5').query!.filter!, records)).toEqual([0n, 1n, 2n, 3n])
  expect(select(parseQuery('exists(a[*])').query!.filter!, records)).toEqual([0n, 1n])
  expect(select(parseQuery('exists(a)').query!.filter!, records)).toEqual([0n, 1n])
})

function expectSame(filter: Filter, records: readonly QueryRecord[]): void {
  const expected = records.filter(record => passes(eventRow(record), filter, filterNowMs))
  expect(select(filter, records)).toEqual(expected.map(({ offset }) => offset))
}

test('a batch that is larger than a block', () => {
  const records = Array.from({ length: blockRowsMax * 2 + 5 }, (_, index) => ({
    topic: 'clicks',
    partition: 0,
    offset: BigInt(index),
    timestampMs: filterNowMs + index,
    key: index % 3 === 0 ? null : `k${index}`,
    headers: index % 2 === 0 ? [] : [['trace', String(index % 7)] as const],
    value: index % 5 === 0 ? null : JSON.stringify({ n: index, text: 'x'.repeat(index % 400) }),
  }))
  const { query } = parseQuery('n >= 100 and @key != "k101" and @headers.trace == "3" and @size > 200')
  const expected = records.filter(record => passes(eventRow(record), query!.filter!, filterNowMs))
  expect(expected.length).toBeGreaterThan(100)
  expect(select(query!.filter!, records)).toEqual(expected.map(({ offset }) => offset))
})
