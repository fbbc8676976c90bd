/**
 * The grammar, without actions: build.ts makes the tree.
 *
 *   query      = [ from ] [ filter ] { "|" stage }
 *   from       = "from" "table" NAME
 *   filter     = and { "or" and }
 *   and        = unary { [ "and" ] unary }                        beside each other, or on the next line: and
 *   unary      = { "not" } ( "(" filter ")" | "exists" "(" field ")" | test | STRING )
 *   test       = field ( op value | [ "not" ] "in" "[" value { "," value } "]" | [ "not" ] "between" value "and" value
 *                      | [ "not" ] ( "contains" | "startsWith" | "endsWith" | "like" ) value )
 *   op         = "==" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~"
 *   field      = ( NAME | STRING ) { "." ( WORD | STRING ) | "[" ( NUMBER | "*" ) "]" } | "@" WORD [ "." ( WORD | STRING ) ]
 *   value      = STRING | [ "-" ] NUMBER | TIME | "now" [ "-" NUMBER ] | "true" | "false" | "null"
 *   stage      = "stats" agg { "," agg } [ "by" key { "," key } ]
 *              | "timechart" [ NUMBER ] agg [ "by" field ] [ "over" field ] [ "limit" NUMBER ]
 *              | "top" NUMBER field | "facets" [ NUMBER ] | "fields" field { "," field }
 *              | "sort" field [ "desc" ] { "," field [ "desc" ] } | "limit" NUMBER | "sample" NUMBER | "estimate"
 *   agg        = NAME "(" [ field ] ")" [ "if" "(" filter ")" ] [ "as" NAME ]
 *   key        = field [ ":" NUMBER ]
 *
 * The rules below take more than that: what other tools write in these places. The names of the rules are known to
 * syntax-errors.ts.
 */
import { type CstNode, CstParser, type IToken, type TokenType, tokenMatcher } from 'chevrotain'
import { ExpectedTokens } from './expected-tokens.ts'
import * as t from './tokens.ts'

export class QueryParser extends CstParser {
  readonly expected: ExpectedTokens

  constructor() {
    const expected = new ExpectedTokens()
    super(t.allTokens, {
      recoveryEnabled: true,
      maxLookahead: 2,
      nodeLocationTracking: 'onlyOffset',
      errorMessageProvider: expected,
    })
    this.expected = expected
    this.performSelfAnalysis()
  }

  readonly query = this.RULE('query', () => {
    this.OPTION({
      GATE: () => this.LA(2).tokenType === t.Table,
      DEF: () => this.SUBRULE(this.from),
    })
    this.OPTION1({ GATE: () => this.startsUnary(2), DEF: () => this.CONSUME(t.Where) })
    this.OPTION2(() => {
      this.OR([
        { GATE: () => this.isAlone(), ALT: () => this.CONSUME(t.Star) },
        { ALT: () => this.SUBRULE(this.filter) },
      ])
    })
    this.MANY(() => {
      this.CONSUME(t.Pipe)
      this.SUBRULE(this.stage)
    })
  })

  readonly from = this.RULE('from', () => {
    this.CONSUME(t.From)
    this.CONSUME(t.Table)
    this.OR([
      { ALT: () => this.CONSUME(t.Word, { LABEL: 'name' }) },
      { ALT: () => this.CONSUME(t.Text, { LABEL: 'name' }) },
      { ALT: () => this.CONSUME(t.NumberToken, { LABEL: 'name' }) },
    ])
  })

  readonly filter: Rule = this.RULE('filter', () => {
    this.AT_LEAST_ONE_SEP({ SEP: t.Or, DEF: () => this.SUBRULE(this.conjunction) })
  })

  readonly conjunction = this.RULE('conjunction', () => {
    this.SUBRULE(this.unary)
    this.MANY(() => {
      this.OPTION(() => this.CONSUME(t.And))
      this.SUBRULE1(this.unary)
    })
  })

  readonly unary = this.RULE('unary', () => {
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Not) }, { ALT: () => this.CONSUME(t.Minus) }])
    })
    this.OR1([
      { ALT: () => this.SUBRULE(this.group) },
      { ALT: () => this.SUBRULE(this.exists) },
      { ALT: () => this.SUBRULE(this.test) },
    ])
  })

  readonly group = this.RULE('group', () => {
    this.CONSUME(t.LeftParen)
    this.SUBRULE(this.filter)
    this.CONSUME(t.RightParen)
  })

  readonly exists = this.RULE('exists', () => {
    this.CONSUME(t.Exists)
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.LeftParen)
          this.SUBRULE(this.field)
          this.CONSUME(t.RightParen)
        },
      },
      { ALT: () => this.SUBRULE1(this.field) },
    ])
  })

  /** A field alone is free text, or a mistake: build.ts tells. */
  readonly test = this.RULE('test', () => {
    this.SUBRULE(this.field)
    this.OPTION({
      GATE: () => !this.isCall(1) && (!this.isNot(1) || this.continuesTest(2)),
      DEF: () => this.SUBRULE(this.condition),
    })
  })

  readonly condition = this.RULE('condition', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.comparison) },
      { ALT: () => this.SUBRULE(this.colon) },
      { ALT: () => this.SUBRULE(this.nullTest) },
      {
        ALT: () => {
          this.OPTION(() => this.CONSUME(t.Not))
          this.OR1([
            { ALT: () => this.SUBRULE(this.membership) },
            { ALT: () => this.SUBRULE(this.range) },
            { ALT: () => this.SUBRULE(this.stringTest) },
            { ALT: () => this.CONSUME(t.Exists) },
          ])
        },
      },
    ])
  })

  readonly comparison = this.RULE('comparison', () => {
    this.CONSUME(t.Comparator)
    this.SUBRULE(this.value)
  })

  /** `field:value` and its relatives in Lucene, KQL, Datadog and Quickwit. */
  readonly colon = this.RULE('colon', () => {
    this.CONSUME(t.Colon)
    this.OR([
      { ALT: () => this.SUBRULE(this.comparison) },
      { ALT: () => this.SUBRULE(this.membership) },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => this.CONSUME(t.LuceneValue) },
      { ALT: () => this.CONSUME(t.Star) },
      { ALT: () => this.SUBRULE(this.value) },
    ])
  })

  readonly nullTest = this.RULE('nullTest', () => {
    this.CONSUME(t.Is)
    this.OPTION(() => this.CONSUME(t.Not))
    this.CONSUME(t.Null)
  })

  readonly membership = this.RULE('membership', () => {
    this.CONSUME(t.In)
    this.SUBRULE(this.list)
  })

  readonly list = this.RULE('list', () => {
    this.OR([{ ALT: () => this.CONSUME(t.LeftBracket) }, { ALT: () => this.CONSUME(t.LeftParen) }])
    this.SUBRULE(this.value)
    this.MANY(() => {
      this.OPTION(() => {
        this.OR1([
          { ALT: () => this.CONSUME(t.Comma) },
          { ALT: () => this.CONSUME(t.Or) },
          { ALT: () => this.CONSUME(t.To) },
        ])
      })
      this.SUBRULE1(this.value)
    })
    this.OR2([{ ALT: () => this.CONSUME(t.RightBracket) }, { ALT: () => this.CONSUME(t.RightParen) }])
  })

  readonly range = this.RULE('range', () => {
    this.CONSUME(t.Between)
    this.SUBRULE(this.value)
    this.CONSUME(t.And)
    this.SUBRULE1(this.value)
  })

  readonly stringTest = this.RULE('stringTest', () => {
    this.CONSUME(t.StringOperator)
    this.SUBRULE(this.value)
  })

  readonly field = this.RULE('field', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.At)
          this.CONSUME(t.Word)
          this.MANY(() => this.SUBRULE(this.step))
        },
      },
      {
        ALT: () => {
          this.OR1([{ ALT: () => this.CONSUME(t.Name) }, { ALT: () => this.CONSUME(t.Text) }])
          this.MANY1(() => this.SUBRULE1(this.step))
        },
      },
    ])
  })

  readonly step = this.RULE('step', () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Dot)
          this.SUBRULE(this.segment)
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.LeftBracket)
          this.OR1([
            { ALT: () => this.CONSUME(t.Star) },
            { ALT: () => this.CONSUME(t.NumberToken) },
            { ALT: () => this.CONSUME(t.Text) },
          ])
          this.CONSUME(t.RightBracket)
        },
      },
    ])
  })

  readonly segment = this.RULE('segment', () => {
    this.OR([{ ALT: () => this.CONSUME(t.Word) }, { ALT: () => this.CONSUME(t.Text) }])
  })

  readonly value = this.RULE('value', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Text) },
      {
        ALT: () => {
          this.OPTION(() => this.CONSUME(t.Minus))
          this.CONSUME(t.NumberToken)
        },
      },
      { ALT: () => this.CONSUME(t.Time) },
      {
        ALT: () => {
          this.CONSUME(t.Now)
          this.OPTION1(() => {
            this.CONSUME1(t.Minus)
            this.CONSUME1(t.NumberToken)
          })
        },
      },
      { ALT: () => this.CONSUME(t.True) },
      { ALT: () => this.CONSUME(t.False) },
      { ALT: () => this.CONSUME(t.Null) },
      { GATE: () => this.LA(2).tokenType !== t.LeftParen, ALT: () => this.CONSUME(t.Name) },
    ])
  })

  readonly stage = this.RULE('stage', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.stats) },
      { ALT: () => this.SUBRULE(this.timechart) },
      { ALT: () => this.SUBRULE(this.top) },
      { ALT: () => this.SUBRULE(this.facets) },
      { ALT: () => this.SUBRULE(this.fields) },
      { ALT: () => this.SUBRULE(this.sort) },
      { ALT: () => this.SUBRULE(this.limit) },
      { ALT: () => this.SUBRULE(this.sample) },
      { ALT: () => this.CONSUME(t.Estimate) },
      { ALT: () => this.SUBRULE(this.where) },
      { ALT: () => this.CONSUME(t.Count) },
    ])
  })

  readonly stats = this.RULE('stats', () => {
    this.CONSUME(t.Stats)
    this.OPTION({
      GATE: () => this.LA(1).tokenType !== t.By,
      DEF: () => this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.aggregate) }),
    })
    this.OPTION1(() => {
      this.CONSUME(t.By)
      this.AT_LEAST_ONE_SEP1({ SEP: t.Comma, DEF: () => this.SUBRULE(this.key) })
    })
  })

  readonly timechart = this.RULE('timechart', () => {
    this.CONSUME(t.Timechart)
    this.OPTION2(() => this.CONSUME(t.Minus))
    this.OPTION(() => this.CONSUME(t.NumberToken, { LABEL: 'width' }))
    this.OPTION1({
      GATE: () => !this.isOneOf(1, [t.By, t.Over, t.Limit]),
      DEF: () => this.SUBRULE(this.aggregate),
    })
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(t.By)
            this.SUBRULE(this.field, { LABEL: 'by' })
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.Over)
            this.SUBRULE1(this.field, { LABEL: 'over' })
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.Limit)
            this.CONSUME1(t.NumberToken, { LABEL: 'limit' })
          },
        },
      ])
    })
  })

  readonly top = this.RULE('top', () => {
    this.CONSUME(t.Top)
    this.OPTION(() => this.CONSUME(t.NumberToken))
    this.OPTION1({ GATE: () => this.startsField(2), DEF: () => this.CONSUME(t.By) })
    this.SUBRULE(this.field)
  })

  readonly facets = this.RULE('facets', () => {
    this.CONSUME(t.Facets)
    this.OPTION(() => this.CONSUME(t.NumberToken))
  })

  readonly fields = this.RULE('fields', () => {
    this.CONSUME(t.Fields)
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.column) })
  })

  readonly sort = this.RULE('sort', () => {
    this.CONSUME(t.Sort)
    this.OPTION({ GATE: () => this.startsField(2) && !this.isDirection(2), DEF: () => this.CONSUME(t.By) })
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.sortKey) })
  })

  readonly sortKey = this.RULE('sortKey', () => {
    this.OPTION(() => this.CONSUME(t.Minus))
    this.SUBRULE(this.column)
    this.OPTION1(() => {
      this.OR([{ ALT: () => this.CONSUME(t.Descending) }, { ALT: () => this.CONSUME(t.Ascending) }])
    })
  })

  /** A field, or the aggregate that made a column. */
  readonly column = this.RULE('column', () => {
    this.OR([
      { GATE: () => this.LA(2).tokenType === t.LeftParen, ALT: () => this.SUBRULE(this.aggregate) },
      { ALT: () => this.SUBRULE(this.field) },
    ])
  })

  readonly limit = this.RULE('limit', () => {
    this.CONSUME(t.Limit)
    this.OPTION(() => this.CONSUME(t.Minus))
    this.CONSUME(t.NumberToken)
  })

  readonly sample = this.RULE('sample', () => {
    this.CONSUME(t.Sample)
    this.OPTION(() => this.CONSUME(t.Minus))
    this.CONSUME(t.NumberToken)
  })

  readonly where = this.RULE('where', () => {
    this.CONSUME(t.Where)
    this.SUBRULE(this.filter)
  })

  readonly aggregate = this.RULE('aggregate', () => {
    this.CONSUME(t.Name, { LABEL: 'function' })
    this.OPTION(() => {
      this.CONSUME(t.LeftParen)
      this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.argument) })
      this.CONSUME(t.RightParen)
    })
    this.OPTION1(() => {
      this.CONSUME(t.If)
      this.CONSUME1(t.LeftParen)
      this.SUBRULE(this.filter)
      this.CONSUME1(t.RightParen)
    })
    this.OPTION2(() => {
      this.CONSUME(t.As)
      this.SUBRULE(this.segment, { LABEL: 'alias' })
    })
  })

  readonly argument = this.RULE('argument', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Star) },
      { ALT: () => this.CONSUME(t.NumberToken) },
      { ALT: () => this.SUBRULE(this.field) },
    ])
  })

  readonly key = this.RULE('key', () => {
    this.SUBRULE(this.field)
    this.OPTION(() => {
      this.CONSUME(t.Colon)
      this.OPTION1(() => this.CONSUME(t.Minus))
      this.CONSUME(t.NumberToken)
    })
  })

  /** Brackets close themselves when they are missing; nothing else is made up. */
  protected override canTokenTypeBeInsertedInRecovery(type: TokenType): boolean {
    return type === t.RightParen || type === t.RightBracket
  }

  /** `*` as the whole filter. */
  private isAlone(): boolean {
    return this.LA(1).tokenType === t.Star
  }

  private isNot(ahead: number): boolean {
    return tokenMatcher(this.LA(ahead), t.Not)
  }

  private isOneOf(ahead: number, types: readonly TokenType[]): boolean {
    const token: IToken = this.LA(ahead)
    return types.some(type => tokenMatcher(token, type))
  }

  /** What stands behind `not` in the middle of a test; else `not` begins another. */
  private continuesTest(ahead: number): boolean {
    return this.isOneOf(ahead, [t.In, t.Between, t.StringOperator, t.Exists]) && !this.isCall(ahead)
  }

  /** `exists(`, which begins a test of its own. */
  private isCall(ahead: number): boolean {
    return this.LA(ahead).tokenType === t.Exists && this.LA(ahead + 1).tokenType === t.LeftParen
  }

  /** `desc` as a direction, so that the word before it is a field; `sort by desc desc` sorts by a field of that name. */
  private isDirection(ahead: number): boolean {
    return (
      this.isOneOf(ahead, [t.Descending, t.Ascending]) &&
      !this.isOneOf(ahead + 1, [t.Descending, t.Ascending, t.Dot, t.LeftBracket])
    )
  }

  /** A test, so that the word before it is no field. */
  private startsUnary(ahead: number): boolean {
    if (this.isNot(ahead)) return !this.continuesTest(ahead + 1)
    if (this.LA(ahead).tokenType === t.Exists) return this.isCall(ahead)
    return this.startsField(ahead) || this.isOneOf(ahead, [t.LeftParen, t.Minus])
  }

  private startsField(ahead: number): boolean {
    return this.isOneOf(ahead, [t.Name, t.Text, t.At])
  }
}

type Rule = (occurrence?: number) => CstNode
