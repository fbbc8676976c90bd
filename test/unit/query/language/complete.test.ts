import { expect, test } from 'vitest'
import { completeQuery } from '../../../../query/language/complete/complete.ts'
import type { Knowledge } from '../../../../query/language/complete/knowledge.ts'
import { applyEdits } from '../../../../query/language/diagnostic.ts'
import { parseQuery } from '../../../../query/language/parse.ts'

const knowledge: Knowledge = {
  fields: [
    {
      path: 'data.log_level',
      types: { string: 900 },
      values: [
        { value: 'error', count: 40 },
        { value: 'info', count: 800 },
        { value: 'he said "no"', count: 60 },
      ],
    },
    { path: 'data.latency_ms', types: { number: 850 }, min: 3, max: 4200, values: [{ value: 12, count: 90 }] },
    { path: 'data."k8s.pod"', types: { string: 400 }, values: [{ value: '50%*', count: 1 }] },
    { path: 'time', types: { time: 1000 } },
    { path: 'data.ok', types: { boolean: 300, null: 5 } },
    {
      path: 'data.mixed',
      types: { number: 5, string: 90 },
      values: [
        { value: 7, count: 5 },
        { value: '7', count: 80 },
      ],
    },
  ],
  tables: ['orders', 'payments'],
}

/** `│` is the cursor. Returns the labels. */
function complete(marked: string): { context: string; labels: string[]; texts: string[] } {
  const cursor = marked.indexOf('│')
  const text = marked.replace('│', '')
  const { context, items } = completeQuery(text, cursor, knowledge)
  return {
    context,
    labels: items.map(item => item.label),
    texts: items.map(item => applyEdits(text, [item.edit])),
  }
}

const fieldsBySeen = ['time', 'data.log_level', 'data.latency_ms', 'data."k8s.pod"', 'data.ok', 'data.mixed']

test('fields come by how often they were seen, with type and example', () => {
  expect(complete('│').labels.slice(0, 6)).toEqual(fieldsBySeen)
  expect(complete('data.latency_ms > 5 and │').labels.slice(0, 6)).toEqual(fieldsBySeen)
  expect(completeQuery('', 0, knowledge).items[1]).toEqual({
    label: 'data.log_level',
    detail: 'string, in 900, e.g. info',
    kind: 'field',
    edit: { span: { from: 0, to: 0 }, text: 'data.log_level' },
  })
})

test.each([
  // What is written of a path is replaced whole, on both sides of the cursor.
  ['data.lo│', 'test', 'data.log_level'],
  ['data.lo│g_lev == "x"', 'test', 'data.log_level == "x"'],
  ['da│ta.ok == true', 'test', 'data.log_level == true'],
  ['lat│', 'test', 'data.latency_ms'],
  ['pod│ == "x"', 'test', 'data."k8s.pod" == "x"'],
  ['data."k8│', 'test', 'data."k8s.pod"'],
  ['@ti│', 'test', '@timestamp'],
  ['(a == 1 or time > now - 1h) da│', 'joined', '(a == 1 or time > now - 1h) data.log_level'],
  ['exists(da│', 'field', 'exists(data.log_level'],
  ['n│', 'test', 'not'],
  // Operators by type.
  ['data.log_level │', 'operator', 'data.log_level =='],
  ['data.latency_ms │', 'operator', 'data.latency_ms >'],
  ['time │', 'operator', 'time >='],
  ['data.log_level con│', 'operator', 'data.log_level contains'],
  ['data.log_level con│t "x"', 'operator', 'data.log_level contains "x"'],
  ['data.log_level not │', 'operator', 'data.log_level not contains'],
  // Values, quoted and escaped.
  ['data.log_level == │', 'value', 'data.log_level == "info"'],
  ['data.log_level == e│', 'value', 'data.log_level == "error"'],
  ['data.log_level == "e│', 'value', 'data.log_level == "error"'],
  ['data.log_level == "e│" and b == 1', 'value', 'data.log_level == "error" and b == 1'],
  ['data.log_level == "e│ and b == 1', 'value', 'data.log_level == "error" and b == 1'],
  ['data.log_level == "he│', 'value', 'data.log_level == `he said "no"`'],
  ['data.log_level:e│', 'value', 'data.log_level:"error"'],
  ['data.log_level in ["info", │', 'value', 'data.log_level in ["info", `he said "no"`'],
  ['data.log_level not in [│]', 'value', 'data.log_level not in ["info"]'],
  ['data."k8s.pod" like │', 'value', 'data."k8s.pod" like `50\\%\\*`'],
  ['data."k8s.pod" =~ │', 'value', 'data."k8s.pod" =~ `50%\\*`'],
  ['data.mixed == │', 'value', 'data.mixed == "7"'],
  ['data.ok == │', 'value', 'data.ok == true'],
  ['time > │', 'value', 'time > now - 15m'],
  ['@timestamp > no│', 'value', '@timestamp > now - 15m'],
  ['data.latency_ms > 250│', 'value', 'data.latency_ms > 250ms'],
  ['data.latency_ms > 10K│', 'value', 'data.latency_ms > 10KB'],
  ['data.latency_ms between 3 │', 'words', 'data.latency_ms between 3 and'],
  ['data.log_level in │', 'list', 'data.log_level in ['],
  ['data.log_level is │', 'words', 'data.log_level is null'],
  // What follows a test.
  ['data.ok == true │', 'joined', 'data.ok == true and'],
  ['(data.ok == true o│', 'joined', '(data.ok == true or'],
  // Stages.
  ['| │', 'stage', '| stats'],
  ['data.ok == true | ti│', 'stage', 'data.ok == true | timechart'],
  ['| stats │', 'aggregate', '| stats count()'],
  ['| stats count(), p9│', 'aggregate', '| stats count(), p90('],
  ['| stats sum(lat│', 'field', '| stats sum(data.latency_ms'],
  ['| stats sum(data.latency_ms) │', 'words', '| stats sum(data.latency_ms) if ('],
  ['| stats count() if (data.log_level == │', 'value', '| stats count() if (data.log_level == "info"'],
  ['| stats count() if ((data.ok == true and da│', 'test', '| stats count() if ((data.ok == true and data.log_level'],
  ['| stats count() by │', 'field', '| stats count() by time'],
  ['| stats count() by time:│', 'width', '| stats count() by time:1m'],
  ['| stats count() by data.latency_ms:│', 'width', '| stats count() by data.latency_ms:100'],
  ['| stats count() by data.ok, lev│', 'field', '| stats count() by data.ok, data.log_level'],
  ['| timechart 5│', 'aggregate', '| timechart 5m'],
  ['| timechart 5m │', 'aggregate', '| timechart 5m count()'],
  ['| timechart 5m count() │', 'words', '| timechart 5m count() if ('],
  ['| timechart 5m count() by lev│', 'field', '| timechart 5m count() by data.log_level'],
  ['| timechart 5m count() by data.ok li│', 'words', '| timechart 5m count() by data.ok limit'],
  ['| top 5 │', 'field', '| top 5 time'],
  ['| sort time d│', 'words', '| sort time desc'],
  ['| limit │', 'count', '| limit 10'],
  ['| sample 1│', 'count', '| sample 1%'],
  // Columns of the stage before.
  [
    '| stats count(), sum(data.latency_ms) by data.ok | sort │',
    'field',
    '| stats count(), sum(data.latency_ms) by data.ok | sort data.ok',
  ],
  [
    '| stats count(), sum(data.latency_ms) by data.ok | sort su│',
    'field',
    '| stats count(), sum(data.latency_ms) by data.ok | sort "sum(data.latency_ms)"',
  ],
  // Tables.
  ['from table │', 'table', 'from table orders'],
  ['from table pay│ data.ok == true', 'table', 'from table payments data.ok == true'],
  ['from table orders data.log_level == │', 'value', 'from table orders data.log_level == "info"'],
  // In the middle of what is broken.
  ['a == = b and (( data.log_level == │ | bogus )', 'value', 'a == = b and (( data.log_level == "info" | bogus )'],
  [') or data.lat│ # | stats', 'test', ') or data.latency_ms # | stats'],
])('%s', (marked, context, first) => {
  const result = complete(marked)
  expect(result.context).toBe(context)
  expect(result.texts[0]).toBe(first)
})

test('values that a list has already are not offered again', () => {
  expect(complete('data.log_level in ["info", │').labels).toEqual(['he said "no"', 'error'])
})

test('nothing is offered inside free text', () => {
  expect(complete('"da│').labels).toEqual([])
})

test('a range of numbers ends with the smallest and largest seen', () => {
  expect(completeQuery('data.latency_ms > ', 18, knowledge).items).toMatchObject([
    { label: '12', detail: '90 times' },
    { label: '3', detail: 'min' },
    { label: '4200', detail: 'max' },
  ])
})

test('whatever is offered for a whole test reads back', () => {
  for (const operator of ['==', '!=', 'contains', 'startsWith', 'endsWith', 'like', '=~', '!~']) {
    for (const { path } of knowledge.fields) {
      const text = `${path} ${operator} `
      for (const { edit } of completeQuery(text, text.length, knowledge).items) {
        const completed = applyEdits(text, [edit])
        expect(parseQuery(completed).errors, completed).toEqual([])
        expect(parseQuery(completed).rewrites, completed).toEqual([])
      }
    }
  }
})
