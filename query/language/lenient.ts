/** What was written in the way of another tool, and how it is written here. The query means the new text. */
import type { Span } from './ast.ts'
import type { Edit } from './diagnostic.ts'

export interface Rewrite {
  readonly span: Span
  readonly old: string
  readonly new: string
}

/** Collects rewrites of one text. One that covers others takes their place: rewrites never overlap. */
export class Rewrites {
  readonly #text: string
  #rewrites: Rewrite[] = []

  constructor(text: string) {
    this.#text = text
  }

  /** The text in `span` becomes `replacement`. */
  replace(span: Span, replacement: string): void {
    const old = this.#text.slice(span.from, span.to)
    this.#rewrites = this.#rewrites.filter(each => each.span.from < span.from || each.span.to > span.to)
    if (old !== replacement) this.#rewrites.push({ span, old, new: replacement })
  }

  /** As `replace`, with blanks around it where a neighbour would grow together with it. */
  replaceWord(span: Span, word: string): void {
    const before = span.from > 0 && !/[\s([|]/.test(this.#text[span.from - 1]!) ? ' ' : ''
    const after = span.to < this.#text.length && !/[\s)\]|,]/.test(this.#text[span.to]!) ? ' ' : ''
    this.replace(span, before + word + after)
  }

  /** In the order of the text. */
  list(): Rewrite[] {
    return this.#rewrites.toSorted((a, b) => a.span.from - b.span.from || a.span.to - b.span.to)
  }
}

/** The edits that make the text what it was taken for. */
export function rewriteEdits(rewrites: readonly Rewrite[]): Edit[] {
  return rewrites.map(rewrite => ({ span: rewrite.span, text: rewrite.new }))
}
