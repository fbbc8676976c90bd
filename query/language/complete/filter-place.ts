/** Places in a filter. */
import { type IToken, tokenMatcher } from 'chevrotain'
import * as t from '../tokens.ts'

export type FilterPlace =
  /** A test may begin: a field, `not`, `exists(`, free text. */
  | { readonly kind: 'test' }
  /** Inside `exists(` or the parentheses of an aggregate: a field alone. */
  | { readonly kind: 'field' }
  /** Behind a field. */
  | { readonly kind: 'operator'; readonly field: string; readonly isNegated: boolean }
  | { readonly kind: 'value'; readonly field: string; readonly operator: string; readonly taken: readonly string[] }
  /** Behind `in`: the bracket. */
  | { readonly kind: 'list' }
  /** Words that can follow, and nothing else: `and` in a range, `null` behind `is`. */
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Behind a whole test. */
  | { readonly kind: 'joined'; readonly isNested: boolean }

/** Follows the tests up to the end of `tokens`; what does not fit begins another test. */
export function findFilterPlace(tokens: readonly IToken[], text: string): FilterPlace {
  const walk = new FilterWalk(text)
  for (const token of tokens) walk.step(token)
  return walk.place()
}

type State =
  | 'test'
  | 'exists'
  | 'field'
  | 'operator'
  | 'value'
  | 'list'
  | 'listed'
  | 'opening'
  | 'range'
  | 'is'
  | 'joined'

class FilterWalk {
  readonly #text: string
  #state: State = 'test'
  #field = { from: 0, to: 0 }
  #operator = ''
  #isNegated = false
  #isRange = false
  #isList = false
  #depth = 0
  #taken: string[] = []

  constructor(text: string) {
    this.#text = text
  }

  step(token: IToken): void {
    const type = token.tokenType
    switch (this.#state) {
      case 'field':
      case 'operator':
        if (this.#extendsField(token)) this.#field.to = t.endOf(token)
        else if (this.#state === 'field') this.#state = type === t.RightParen ? 'joined' : 'test'
        else this.#stepOperator(token)
        return
      case 'exists':
        if (type === t.LeftParen) return
        this.#field = { from: token.startOffset, to: t.endOf(token) }
        this.#state = 'field'
        return
      case 'opening':
        this.#state = type === t.LeftBracket || type === t.LeftParen ? 'list' : 'joined'
        return
      case 'value':
      case 'list':
        this.#stepValue(token)
        return
      case 'listed':
        if (type === t.RightBracket || type === t.RightParen) this.#endTest()
        else if (type === t.Comma || tokenMatcher(token, t.Or)) this.#state = 'list'
        return
      case 'range':
        this.#state = tokenMatcher(token, t.And) ? 'value' : 'joined'
        return
      case 'is':
        if (type === t.Null) this.#endTest()
        return
      case 'joined':
      case 'test':
        this.#stepTest(token)
    }
  }

  #stepTest(token: IToken): void {
    const type = token.tokenType
    if (type === t.RightParen) {
      this.#depth = Math.max(0, this.#depth - 1)
      this.#state = 'joined'
      return
    }
    // `now - 1h`: the rest of a value.
    if (this.#state === 'joined' && (type === t.Minus || type === t.NumberToken)) return
    if (type === t.LeftParen) this.#depth++
    this.#state = 'test'
    if (type === t.Exists) this.#state = 'exists'
    else if (tokenMatcher(token, t.Name) || tokenMatcher(token, t.Text) || type === t.At) {
      this.#field = { from: token.startOffset, to: t.endOf(token) }
      this.#isNegated = false
      this.#taken = []
      this.#state = 'operator'
    }
  }

  #stepOperator(token: IToken): void {
    const type = token.tokenType
    this.#operator = token.image.toLowerCase()
    this.#isList = false
    this.#isRange = false
    if (tokenMatcher(token, t.Comparator) || type === t.Colon || tokenMatcher(token, t.StringOperator)) {
      this.#state = 'value'
    } else if (type === t.In) {
      this.#state = 'opening'
      this.#isList = true
    } else if (type === t.Between) {
      this.#state = 'value'
      this.#isRange = true
    } else if (type === t.Is) this.#state = 'is'
    else if (type === t.Exists) this.#endTest()
    else if (tokenMatcher(token, t.Not)) this.#isNegated = true
    else this.#stepTest(token)
  }

  #stepValue(token: IToken): void {
    const type = token.tokenType
    if (type === t.Minus || tokenMatcher(token, t.Comparator)) return
    if (type === t.LeftBracket || type === t.LeftParen) {
      this.#state = 'list'
      this.#isList = true
      return
    }
    this.#taken.push(token.image)
    if (this.#isList) this.#state = 'listed'
    else if (this.#isRange) {
      this.#isRange = false
      this.#state = 'range'
    } else this.#endTest()
  }

  #endTest(): void {
    this.#state = 'joined'
  }

  #extendsField(token: IToken): boolean {
    if (token.startOffset !== this.#field.to) return false
    const { tokenType: type } = token
    if (type === t.Dot || type === t.LeftBracket || type === t.RightBracket) return true
    const last = this.#text[this.#field.to - 1]
    return last === '.' || last === '[' || last === '@'
  }

  place(): FilterPlace {
    const field = this.#text.slice(this.#field.from, this.#field.to)
    switch (this.#state) {
      case 'test':
        return { kind: 'test' }
      case 'exists':
      case 'field':
        return { kind: 'field' }
      case 'operator':
        return { kind: 'operator', field, isNegated: this.#isNegated }
      case 'value':
      case 'list':
        return { kind: 'value', field, operator: this.#operator, taken: this.#taken }
      case 'opening':
        return { kind: 'list' }
      case 'listed':
        return { kind: 'words', words: [',', ']'] }
      case 'range':
        return { kind: 'words', words: ['and'] }
      case 'is':
        return { kind: 'words', words: ['null', 'not null'] }
      case 'joined':
        return { kind: 'joined', isNested: this.#depth > 0 }
    }
  }
}
