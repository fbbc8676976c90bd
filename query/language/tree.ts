/** Runs the grammar over tokens: Chevrotain's tree, and the mistakes in it. */
import type { CstNode, IToken } from 'chevrotain'
import { type ParserMistake, TooManyMistakes } from './expected-tokens.ts'
import { QueryParser } from './grammar.ts'

// Chevrotain works the grammar out when a parser is made: tens of milliseconds, once.
let sharedParser: QueryParser | undefined

export interface GrammarTree {
  /** Undefined when nothing can be made of the text, or the mistakes were too many to go on. */
  readonly tree: CstNode | undefined
  readonly mistakes: readonly ParserMistake[]
}

export function readTree(tokens: IToken[], rule: 'query' | 'field'): GrammarTree {
  sharedParser ??= new QueryParser()
  const parser = sharedParser
  parser.input = tokens
  let tree: CstNode | undefined
  try {
    tree = parser[rule]()
  } catch (error) {
    if (!(error instanceof TooManyMistakes)) throw error
  }
  parser.input = []
  return { tree, mistakes: parser.expected.take() }
}
