/** Bounds on a query. Text and JSON come from browsers, URLs and saved files: whatever is larger is refused, with its place. */
export const queryLimits = {
  /** UTF-16 units of the text. */
  textLengthMax: 20_000,
  /** Parentheses, and `not` before each other, around one test. */
  nestingDepthMax: 64,
  /** Tests and free texts in all filters of a query together. */
  testCountMax: 1_000,
  /** Values of one `in`. */
  valueCountMax: 1_000,
  /** Names and brackets of one field path. */
  pathLengthMax: 32,
  stageCountMax: 20,
  /** Aggregates, keys, fields or sort keys of one stage. */
  listLengthMax: 50,
  /** Rows that `limit`, `top`, `facets` and `timechart ... limit` may ask for. */
  rowCountMax: 1_000_000,
  /** UTF-16 units of one regular expression. */
  patternLengthMax: 1_000,
  /** Mistakes reported of one query; the parser stops at the last. */
  errorCountMax: 20,
} as const
