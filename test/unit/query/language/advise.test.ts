import { expect, test } from 'vitest'
import { adviseQuery } from '../../../../query/language/complete/advise.ts'
import type { Knowledge } from '../../../../query/language/complete/knowledge.ts'
import { applyEdits, formatDiagnostic } from '../../../../query/language/diagnostic.ts'
import { parseQuery } from '../../../../query/language/parse.ts'

const knowledge: Knowledge = {
  fields: [
    { path: 'data.code', types: { string: 40 } },
    { path: 'data.status', types: { number: 90, string: 2 } },
    { path: 'data.size', types: { number: 90 } },
    { path: 'data.ok', types: { boolean: 10 } },
    { path: 'data.tags[*]', types: { string: 5 } },
    { path: 'time', types: { time: 100 } },
  ],
}

test.each([
  [
    'data.code == 500',
    '             ^ data.code was seen only as string, which never compares with 500',
    'data.code == "500"',
  ],
  [
    'data.size in [1, "2"]',
    '                 ^ data.size was seen only as number, which never compares with "2"',
    'data.size in [1, 2]',
  ],
  [
    'data.ok != "true"',
    '           ^ data.ok was seen only as boolean, which never compares with "true"',
    'data.ok != true',
  ],
  ['data.sizes > 5', '^ no event seen has data.sizes', 'data.size > 5'],
  ['not (a == 1 or data.tags[0] == 5)', '     ^ no event seen has a', undefined],
  ['| stats sum(data.sise) if (data.coed == "x") by tiem:5m', '            ^ no event seen has data.sise', undefined],
  [
    '| timechart count() by data.codes',
    '                       ^ no event seen has data.codes',
    '| timechart count() by data.code',
  ],
  ['| top 5 data.okk', '        ^ no event seen has data.okk', '| top 5 data.ok'],
])('%s', (text, caret, mended) => {
  const [advice] = adviseQuery(parseQuery(text).query!, knowledge)
  expect(formatDiagnostic(text, advice!).split('\n')[1]).toBe(caret)
  if (mended !== undefined) expect(applyEdits(text, [advice!.fixes[0]!.edit])).toBe(mended)
})

test('all of a stage is looked at', () => {
  const { query } = parseQuery('| stats sum(data.sise) if (data.coed == "x") by tiem:5m | sort x_y')
  expect(query).toBeUndefined()
  const stats = parseQuery('| stats sum(data.sise) if (data.coed == "x") by tiem:5m').query!
  expect(adviseQuery(stats, knowledge).map(({ message }) => message)).toEqual([
    'no event seen has data.sise',
    'no event seen has data.coed',
    'no event seen has tiem',
  ])
})

test.each([
  'data.status == "429" and data.status == 500',
  'time > now - 1h and time == "2026-01-01" and data.size > 10KiB',
  'exists(data.tags) and data.tags[3] == "x" and exists(data)',
  '@offset > 5 and @headers.x == "y" and "text"',
  'from table orders anything == 5',
])('nothing is said of %s', text => {
  expect(adviseQuery(parseQuery(text).query!, knowledge)).toEqual([])
})

test('where nothing was seen there is no advice', () => {
  expect(adviseQuery(parseQuery('a == 1').query!, { fields: [] })).toEqual([])
})
