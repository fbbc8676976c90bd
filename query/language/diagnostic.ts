/** A mistake in a query: its place, what would stand there, and, where one is known, the edit that mends it. */
import type { Span } from './ast.ts'

export interface Diagnostic {
  /** Stable, kebab-case. */
  readonly code: string
  /** One sentence without a full stop. */
  readonly message: string
  readonly span: Span
  /** What may stand at the place, in words of the language; empty when that does not say anything. */
  readonly expected: readonly string[]
  readonly hint?: string
  readonly fixes: readonly Fix[]
}

export interface Fix {
  readonly label: string
  readonly edit: Edit
}

/** `text` in place of what is in the span. */
export interface Edit {
  readonly span: Span
  readonly text: string
}

/** `edits` must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const ordered = edits.toSorted((a, b) => a.span.from - b.span.from || a.span.to - b.span.to)
  let result = ''
  let at = 0
  for (const { span, text: replacement } of ordered) {
    result += text.slice(at, span.from) + replacement
    at = span.to
  }
  return result + text.slice(at)
}

/**
 * The mistake as lines for a terminal: the line of the query that it is in, a caret under its first character with the message
 * behind it, and the hint.
 *
 *   data.size > 10 kilobytes
 *                  ^ unknown unit kilobytes: use B, KB, MB, ...
 *   hint: ...
 */
export function formatDiagnostic(text: string, diagnostic: Diagnostic): string {
  const at = Math.min(diagnostic.span.from, text.length)
  const lineStart = text.lastIndexOf('\n', at - 1) + 1
  const nextLine = text.indexOf('\n', at)
  const line = text.slice(lineStart, nextLine < 0 ? text.length : nextLine)
  // Long lines are cut around the caret.
  const cut = Math.max(0, at - lineStart - shownBeforeMax)
  const shown = line.slice(cut, cut + shownLengthMax).replaceAll(/[\t\r]/g, ' ')
  const caret = `${' '.repeat(columnsOf(shown.slice(0, at - lineStart - cut)))}^ ${diagnostic.message}`
  const lines = [shown.trimEnd(), caret]
  if (diagnostic.hint !== undefined) lines.push(`hint: ${diagnostic.hint}`)
  return lines.join('\n')
}

const shownBeforeMax = 100
const shownLengthMax = 160

/** Code points: a pair of surrogates is one character on a terminal. */
function columnsOf(text: string): number {
  return [...text].length
}
