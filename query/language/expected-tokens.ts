/**
 * What the parser expected when it met a mistake. Chevrotain asks for a message whenever it makes an error; the message it gets is a
 * key under which the rule and the expected tokens are kept until syntax-errors.ts has made a diagnostic of them.
 */
import type { IParserErrorMessageProvider, IToken, TokenType } from 'chevrotain'
import { queryLimits } from './limits.ts'

export interface ParserMistake {
  readonly rule: string
  /** The token that does not fit; of type EOF at the end. */
  readonly actual: IToken
  /** Empty when the text went on where it should have ended. */
  readonly expected: readonly TokenType[]
}

/** Ends the parsing of a text that has had enough mistakes. */
export class TooManyMistakes extends Error {
  override readonly name = 'TooManyMistakes'
}

export class ExpectedTokens implements IParserErrorMessageProvider {
  #mistakes: ParserMistake[] = []

  take(): ParserMistake[] {
    const taken = this.#mistakes
    this.#mistakes = []
    return taken
  }

  buildMismatchTokenMessage(options: { expected: TokenType; actual: IToken; ruleName: string }): string {
    return this.#keep({
      rule: options.ruleName,
      actual: options.actual,
      expected: [options.expected],
    })
  }

  buildNotAllInputParsedMessage(options: { firstRedundant: IToken; ruleName: string }): string {
    return this.#keep({ rule: options.ruleName, actual: options.firstRedundant, expected: [] })
  }

  buildNoViableAltMessage(options: {
    expectedPathsPerAlt: TokenType[][][]
    actual: IToken[]
    ruleName: string
  }): string {
    return this.#keep({
      rule: options.ruleName,
      actual: options.actual[0]!,
      expected: options.expectedPathsPerAlt.flatMap(paths => paths.map(path => path[0]!)),
    })
  }

  buildEarlyExitMessage(options: {
    expectedIterationPaths: TokenType[][]
    actual: IToken[]
    ruleName: string
  }): string {
    return this.#keep({
      rule: options.ruleName,
      actual: options.actual[0]!,
      expected: options.expectedIterationPaths.map(path => path[0]!),
    })
  }

  #keep(mistake: ParserMistake): string {
    if (this.#mistakes.length >= queryLimits.errorCountMax) throw new TooManyMistakes()
    this.#mistakes.push(mistake)
    return ''
  }
}
