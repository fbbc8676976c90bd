/** Any text into the configuration reader: nothing but a valid configuration or reported problems comes out. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatProblems, parseConfig } from '../../../config/config.ts'

function check(text: string): void {
  const result = parseConfig(text, 'f.yaml')
  if (result.outcome === 'valid') return
  expect(result.problems.length).toBeGreaterThan(0)
  const lineCount = text.split('\n').length
  for (const problem of result.problems) {
    expect(problem.line).toBeGreaterThanOrEqual(1)
    expect(problem.line).toBeLessThanOrEqual(lineCount + 1)
    expect(problem.column).toBeGreaterThanOrEqual(1)
    expect(problem.message).not.toBe('')
  }
  for (const line of formatProblems(result).split('\n')) expect(line).toMatch(/^(f\.yaml:\d+:\d+: .|and \d+ more$)/)
}

const yamlPieces = fc.constantFrom(
  ...[
    'tables',
    'source_topic',
    'schema',
    'fields',
    'kafka',
    'http',
    'broker',
    'element',
    'type',
    'name',
    'id',
    'floe',
    'json',
  ],
  ...['__proto__', 'constructor', 'toString', '<<', 'null', '~', 'true', '1e999', '0x1F', '-0', '.nan', '10s', '4MiB'],
  ...[
    ': ',
    '- ',
    '\n',
    '\n  ',
    '\n    ',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '&a ',
    '*a',
    '!!set ',
    '|\n ',
    '>',
    '"',
    "'",
    '#',
    '? ',
    '---',
    '%YAML 9',
    '\t',
    '\u0000',
    '𝒳',
  ],
)

test('random text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), check), { numRuns: 500 })
})

test('random YAML pieces', () => {
  fc.assert(
    fc.property(fc.array(yamlPieces, { maxLength: 60 }), pieces => check(pieces.join(''))),
    { numRuns: 2_000 },
  )
})

test('random JSON values, which are YAML', () => {
  fc.assert(fc.property(fc.json({ maxDepth: 8 }), check), { numRuns: 500 })
})

test('a real file with pieces cut, doubled and replaced', () => {
  const real = readFileSync(new URL('../../../examples/seed.yaml', import.meta.url), 'utf8')
  const spot = fc.nat({ max: real.length })
  fc.assert(
    fc.property(spot, fc.nat({ max: 40 }), yamlPieces, (at, length, piece) => {
      check(real.slice(0, at) + piece + real.slice(at + length))
    }),
    { numRuns: 400 },
  )
})
