/**
 * A query as a tree. Every node has the place of its text; a tree that did not come from text has empty places.
 *
 * Two queries that differ in places alone are the same query. The tree holds what was meant and not how it was spelled: `"a"`,
 * 'a' and `a` in backticks are one string, `1KiB` and `1024B` one size, and parentheses are gone.
 */

/** UTF-16 offsets into the text, `to` exclusive. */
export interface Span {
  readonly from: number
  readonly to: number
}

interface Node {
  readonly span: Span
}

export interface Query extends Node {
  readonly kind: 'query'
  /** Left out: the topic that the query is run on. */
  readonly source: TableSource | undefined
  /** Left out: every event. */
  readonly filter: Filter | undefined
  readonly stages: readonly Stage[]
}

export interface TableSource extends Node {
  readonly kind: 'table'
  readonly name: string
}

// Fields

export type Field = PathField | MetadataField | HeaderField

/** A place in the record's value: `data.tags[*]` is name, name, each. */
export interface PathField extends Node {
  readonly kind: 'path'
  /** The first is a name. */
  readonly steps: readonly PathStep[]
}

export type PathStep =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  /** `[*]`: every element of an array. */
  | { readonly kind: 'each' }

export type MetadataName = 'offset' | 'partition' | 'key' | 'timestamp' | 'size' | 'topic'

export interface MetadataField extends Node {
  readonly kind: 'metadata'
  readonly name: MetadataName
}

export interface HeaderField extends Node {
  readonly kind: 'header'
  readonly name: string
}

// Values

export type Value =
  | StringValue
  | NumberValue
  | SizeValue
  | DurationValue
  | TimeValue
  | NowValue
  | BooleanValue
  | NullValue

export interface StringValue extends Node {
  readonly kind: 'string'
  readonly text: string
  /** `"text"i` */
  readonly ignoreCase: boolean
}

export interface NumberValue extends Node {
  readonly kind: 'number'
  /** Whole numbers beyond 2^53 are bigint, all others number; never infinite, never -0. */
  readonly value: number | bigint
}

export interface SizeValue extends Node {
  readonly kind: 'size'
  readonly bytes: number
}

export interface DurationValue extends Node {
  readonly kind: 'duration'
  readonly ms: number
}

export interface TimeValue extends Node {
  readonly kind: 'time'
  /** Nanoseconds since 1970-01-01T00:00:00Z, years 0000 to 9999. */
  readonly epochNs: bigint
}

/** `now`, `now - 1h`: resolved whenever the query is run. */
export interface NowValue extends Node {
  readonly kind: 'now'
  readonly agoMs: number
}

export interface BooleanValue extends Node {
  readonly kind: 'boolean'
  readonly value: boolean
}

export interface NullValue extends Node {
  readonly kind: 'null'
}

// Filters

export type Filter = AndFilter | OrFilter | NotFilter | Test

/** What looks at one field, or at the whole text. */
export type Test = CompareTest | InTest | BetweenTest | ExistsTest | StringTest | TextTest

/** At least two terms, none of which is an `and` itself. */
export interface AndFilter extends Node {
  readonly kind: 'and'
  readonly terms: readonly Filter[]
}

/** At least two terms, none of which is an `or` itself. */
export interface OrFilter extends Node {
  readonly kind: 'or'
  readonly terms: readonly Filter[]
}

export interface NotFilter extends Node {
  readonly kind: 'not'
  readonly term: Filter
}

export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>='

export interface CompareTest extends Node {
  readonly kind: 'compare'
  readonly field: Field
  readonly operator: CompareOperator
  readonly value: Value
}

export interface InTest extends Node {
  readonly kind: 'in'
  readonly field: Field
  readonly negated: boolean
  /** At least one. */
  readonly values: readonly Value[]
}

/** Both ends belong to the range. */
export interface BetweenTest extends Node {
  readonly kind: 'between'
  readonly field: Field
  readonly negated: boolean
  readonly low: Value
  readonly high: Value
}

export interface ExistsTest extends Node {
  readonly kind: 'exists'
  readonly field: Field
}

/** `matches` is written `=~`, and `!~` when negated. */
export type StringOperator = 'contains' | 'startsWith' | 'endsWith' | 'like' | 'matches'

export interface StringTest extends Node {
  readonly kind: 'string-test'
  readonly field: Field
  readonly operator: StringOperator
  readonly negated: boolean
  /** For `like` a pattern as normalizeGlob leaves it, for `matches` a regular expression of readPattern. */
  readonly operand: StringValue
}

/** The text of the record's value contains it. */
export interface TextTest extends Node {
  readonly kind: 'text'
  readonly operand: StringValue
}

// Stages

export type Stage =
  | StatsStage
  | TimechartStage
  | TopStage
  | FacetsStage
  | FieldsStage
  | SortStage
  | LimitStage
  | SampleStage
  | EstimateStage

export interface StatsStage extends Node {
  readonly kind: 'stats'
  /** At least one. */
  readonly aggregates: readonly Aggregate[]
  readonly keys: readonly Key[]
}

export interface TimechartStage extends Node {
  readonly kind: 'timechart'
  /** Width of a bucket; left out, chosen by the range of time. */
  readonly spanMs: number | undefined
  readonly aggregate: Aggregate
  /** One series for each of its values. */
  readonly by: Field | undefined
  /** The clock; left out, the record timestamp. */
  readonly over: Field | undefined
  /** How many series; what is left becomes OTHER. */
  readonly limit: number | undefined
}

export interface TopStage extends Node {
  readonly kind: 'top'
  readonly count: number
  readonly field: Field
}

export interface FacetsStage extends Node {
  readonly kind: 'facets'
  /** Values of each field; left out, 10. */
  readonly count: number | undefined
}

export interface FieldsStage extends Node {
  readonly kind: 'fields'
  readonly fields: readonly Field[]
}

export interface SortStage extends Node {
  readonly kind: 'sort'
  readonly keys: readonly SortKey[]
}

export interface SortKey extends Node {
  readonly field: Field
  readonly descending: boolean
}

export interface LimitStage extends Node {
  readonly kind: 'limit'
  readonly count: number
}

export interface SampleStage extends Node {
  readonly kind: 'sample'
  /** Above 0, at most 100. */
  readonly percent: number
}

export interface EstimateStage extends Node {
  readonly kind: 'estimate'
}

export type AggregateFunction =
  | 'count'
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'count_distinct'
  | 'rate'
  | 'first'
  | 'last'
  | Percentile

/** `p1` to `p99`. */
export type Percentile = `p${number}`

export interface Aggregate extends Node {
  readonly function: AggregateFunction
  readonly field: Field | undefined
  /** `if (...)`: only events that pass. */
  readonly condition: Filter | undefined
  /** `as name` */
  readonly alias: string | undefined
}

/** What rows are grouped by; with a width, by buckets of it. */
export interface Key extends Node {
  readonly field: Field
  readonly width: DurationValue | SizeValue | NumberValue | undefined
}

export const emptySpan: Span = { from: 0, to: 0 }

/** An `and` or `or` without its like among the terms. */
export function joinFilters(kind: 'and' | 'or', terms: readonly Filter[], span: Span): Filter | undefined {
  const flat = terms.flatMap(term => (term.kind === kind ? term.terms : [term]))
  return flat.length > 1 ? { kind, terms: flat, span } : flat[0]
}
