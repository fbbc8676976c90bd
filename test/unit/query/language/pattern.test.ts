/**
 * Regular expressions mean what RE2 means by them: DuckDB, which matches with RE2, is the oracle. Its RE2 does not know
 * `(?<name>` yet, and finds `\B` between the bytes of one character; both are left out.
 */
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePattern } from '../../../../query/language/pattern.ts'

const part = fc.constantFrom(
  ...[
    'a',
    'b',
    'B',
    '1',
    '_',
    ' ',
    '.',
    '-',
    ']',
    '}',
    '{',
    '{a',
    ',',
    '/',
    '"',
    '🙂',
    'é',
    '^',
    '$',
    '|',
    '(',
    ')',
    '(?:',
    '(?P<n>',
  ],
  ...[
    '*',
    '+',
    '?',
    '*?',
    '{2}',
    '{1,}',
    '{0,2}',
    '{2,1}',
    '[ab]',
    '[^a]',
    '[a-c]',
    '[]a]',
    '[^]a]',
    '[-a]',
    '[a-]',
    '[[:alpha:]_]',
  ],
  ...[
    '[\\d-]',
    '[\\]]',
    '[^\\S]',
    '\\d',
    '\\D',
    '\\w',
    '\\W',
    '\\s',
    '\\S',
    '\\b',
    '\\A',
    '\\z',
    '\\n',
    '\\t',
    '\\x61',
    '\\x{e9}',
  ],
  ...[
    '\\.',
    '\\-',
    '\\"',
    '\\_',
    '\\pL',
    '\\p{Lu}',
    '\\P{L}',
    '\\p{^L}',
    '\\p{Greek}',
    '[\\p{L}1]',
    '\\q',
    '\\1',
    '\\',
    '[',
    '[b-a]',
    '[[:foo:]]',
  ],
)
const pattern = fc.array(part, { minLength: 1, maxLength: 6 }).map(parts => parts.join(''))
const text = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'B',
      'c',
      '1',
      '_',
      ' ',
      '\n',
      '\t',
      '-',
      ']',
      '{',
      '}',
      '.',
      '"',
      '🙂',
      'é',
      'Ω',
      '\u00a0',
    ),
    {
      maxLength: 6,
    },
  )
  .map(letters => letters.join(''))

test('what compiles matches what RE2 matches', async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  const cases = fc.sample(fc.tuple(pattern, fc.array(text, { minLength: 6, maxLength: 6 }), fc.boolean()), 3_000)
  let compiledCount = 0
  for (const [source, texts, ignoreCase] of cases) {
    const compiled = compilePattern(source)
    if ('problem' in compiled) continue
    compiledCount++
    const expression = new RegExp(compiled.source, ignoreCase ? 'iu' : 'u')
    const columns = texts.map((_, index) => `regexp_matches($${index + 2}, $1, '${ignoreCase ? 'i' : 'c'}')`)
    const reader = await connection.runAndReadAll(`SELECT ${columns.join(', ')}`, [source, ...texts])
    const matches = texts.map(each => expression.test(each))
    expect(reader.getRows()[0], `${source} ${JSON.stringify(texts)} ${ignoreCase}`).toEqual(matches)
  }
  connection.closeSync()
  instance.closeSync()
  expect(compiledCount).toBeGreaterThan(500)
})

test('what RE2 refuses is refused', async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  let refusedCount = 0
  for (const source of fc.sample(pattern, 2_000)) {
    const isRefused = await connection.runAndReadAll(`SELECT regexp_matches('', $1)`, [source]).then(
      () => false,
      () => true,
    )
    if (!isRefused) continue
    refusedCount++
    expect(compilePattern(source), source).toHaveProperty('problem')
  }
  connection.closeSync()
  instance.closeSync()
  expect(refusedCount).toBeGreaterThan(200)
})
