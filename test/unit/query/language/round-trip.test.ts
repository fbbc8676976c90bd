import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatQuery } from '../../../../query/language/format.ts'
import { queryFromJson } from '../../../../query/language/json/from-json.ts'
import { queryToJson } from '../../../../query/language/json/to-json.ts'
import { parseQuery } from '../../../../query/language/parse.ts'
import { withoutSpans } from '../../../../query/language/without-spans.ts'
import { arbitraryQuery } from '../../../support/query/arbitrary-query.ts'

const runs = { numRuns: 1_500 }

test('what is written of a query reads as the same query, and needs no rewriting', () => {
  fc.assert(
    fc.property(arbitraryQuery, query => {
      const text = formatQuery(query)
      const result = parseQuery(text)
      expect(result.errors, text).toEqual([])
      expect(withoutSpans(result.query), text).toEqual(query)
      expect(result.rewrites, text).toEqual([])
      expect(formatQuery(result.query!)).toBe(text)
    }),
    runs,
  )
})

test('the JSON form gives the same query, after it was text as well', () => {
  fc.assert(
    fc.property(arbitraryQuery, query => {
      const json = JSON.stringify(queryToJson(query))
      const result = queryFromJson(JSON.parse(json))
      expect(result.problem, json).toBeUndefined()
      expect(result.query, json).toEqual(query)
      expect(JSON.stringify(queryToJson(result.query!))).toBe(json)
    }),
    runs,
  )
})
