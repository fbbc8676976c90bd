/**
 * Patterns of `like`: `*` is any run of characters, `?` any one character, a backslash takes the meaning from what follows. The
 * whole string must match.
 *
 * A percent sign that is meant as itself is always written `\%`, since patterns of SQL are recognized by theirs.
 */

/** One spelling for every pattern: a backslash stands before `*`, `?`, `%` and backslash when they mean themselves, and nowhere else. */
export function normalizeGlob(pattern: string): string {
  return parseGlob(pattern)
    .map(part => (part.kind === 'literal' ? escapeGlob(part.text) : part.kind === 'any' ? '*' : '?'))
    .join('')
}

export type GlobPart =
  | { readonly kind: 'literal'; readonly text: string }
  /** `*` */
  | { readonly kind: 'any' }
  /** `?` */
  | { readonly kind: 'one' }

/** No two `any` stand beside each other: they mean the same as one. */
export function parseGlob(pattern: string): GlobPart[] {
  const parts: GlobPart[] = []
  let literal = ''
  const endLiteral = (): void => {
    if (literal !== '') parts.push({ kind: 'literal', text: literal })
    literal = ''
  }
  for (let at = 0; at < pattern.length; at++) {
    const letter = pattern[at]!
    if (letter === '\\' && at + 1 < pattern.length) {
      at++
      literal += pattern[at]!
    } else if (letter === '*') {
      endLiteral()
      if (parts.at(-1)?.kind !== 'any') parts.push({ kind: 'any' })
    } else if (letter === '?') {
      endLiteral()
      parts.push({ kind: 'one' })
    } else {
      literal += letter
    }
  }
  endLiteral()
  return parts
}

export function escapeGlob(text: string): string {
  return text.replaceAll(/[*?%\\]/g, '\\$&')
}

/** Whether the pattern can only be of SQL: it has `%` and neither `*` nor `?`. */
export function isSqlPattern(pattern: string): boolean {
  const bare = pattern.replaceAll(/\\./gs, '')
  return bare.includes('%') && !/[*?]/.test(bare)
}

/** `%` becomes `*`, `_` becomes `?`. */
export function fromSqlPattern(pattern: string): string {
  const translated = pattern.replaceAll(/\\[%_\\]|[%_*?]/g, piece => {
    if (piece === '%') return '*'
    if (piece === '_') return '?'
    return piece === '\\_' ? '_' : piece.length === 2 ? piece : `\\${piece}`
  })
  return normalizeGlob(translated)
}
