import { expect, test } from 'vitest'
import { formatFailure } from '../../../bin/cli/failure.ts'
import { formatBytes, formatCount, formatTable } from '../../../bin/cli/output.ts'
import { duckDbType } from '../../../bin/sql/duckdb.ts'
import { FloeError } from '../../../core/errors.ts'

test('columns are as wide as what a terminal shows', () => {
  const table = formatTable(
    ['name', 'n'],
    [
      ['北斎', '1'],
      ['\u001b[31mred\u001b[39m', '20'],
      ['é', '300'],
    ],
    ['left', 'right'],
  )
  expect(table.split('\n')).toEqual(['name    n', '北斎    1', '\u001b[31mred\u001b[39m    20', 'é     300'])
})

test('counts and bytes are written for people', () => {
  expect([formatCount(1_234_567), formatCount(9_007_199_254_740_993n)]).toEqual(['1,234,567', '9,007,199,254,740,993'])
  expect([0, 999, 1500, 2_500_000_000n].map(formatBytes)).toEqual(['0 B', '999 B', '1.5 KB', '2.5 GB'])
})

test('a failure is one line; with --debug it says where it came from', () => {
  const error = new FloeError(
    'unavailable',
    'store-down',
    'the store\n is down',
    { bucket: 'b' },
    new Error('ECONNRESET'),
  )
  expect(formatFailure(error, false)).toBe('floe: the store is down')
  const lines = formatFailure(error, true)
  expect(lines).toContain('unavailable store-down bucket=b')
  expect(lines).toContain('Error: ECONNRESET')
})

test('column types have their DuckDB names', () => {
  expect(
    duckDbType({
      kind: 'struct',
      fields: [
        { id: 1, name: 'a"b', required: false, type: { kind: 'decimal', precision: 9, scale: 2 } },
        {
          id: 2,
          name: 'm',
          required: false,
          type: {
            kind: 'map',
            keyId: 3,
            key: { kind: 'primitive', name: 'string' },
            valueId: 4,
            valueRequired: false,
            value: {
              kind: 'list',
              elementId: 5,
              elementRequired: false,
              element: { kind: 'primitive', name: 'timestamptz' },
            },
          },
        },
      ],
    }),
  ).toBe('STRUCT("a""b" DECIMAL(9, 2), "m" MAP(VARCHAR, TIMESTAMPTZ[]))')
})
