/**
 * Regular expressions of `=~` and `!~`: the syntax and meaning of RE2, which every engine can match in time that grows with the text
 * alone. Look-around and back-references do not exist there and are refused with their place.
 *
 *   alternatives  a|b                    groups      (a) (?:a) (?<name>a) (?P<name>a): none is captured
 *   repetition    * + ? {2} {2,} {2,5}   lazy        *? +? ?? {2,5}?
 *   anchors       ^ $ \A \z \b \B        any         . (no line feed)
 *   classes       [a-z] [^a-z] [[:alpha:]] \d \D \w \W \s \S (ASCII) \p{L} \pL \p{Greek} \P{L}
 *   characters    \t \n \r \f \v \a \xFF \x{10FFFF} and a backslash before any punctuation
 *
 * It is searched for anywhere in the string. Repetitions within each other may not multiply to more than 1000.
 *
 * source  RE2, "Syntax", github.com/google/re2/wiki/Syntax
 */
import { queryLimits } from './limits.ts'

export type CompiledPattern = { readonly source: string } | { readonly problem: PatternProblem }

export interface PatternProblem {
  readonly message: string
  readonly hint?: string
  /** UTF-16 offsets into the pattern. */
  readonly from: number
  readonly to: number
}

/** The pattern as the source of a JavaScript RegExp with the flag `u`, or what is wrong with it. Never throws. */
export function compilePattern(pattern: string): CompiledPattern {
  if (pattern.length > queryLimits.patternLengthMax) {
    const message = `a regular expression has at most ${queryLimits.patternLengthMax} characters`
    return { problem: { message, from: queryLimits.patternLengthMax, to: pattern.length } }
  }
  try {
    return { source: new PatternReader(pattern).readAll() }
  } catch (error) {
    if (error instanceof PatternRefusal) return { problem: error.problem }
    throw error
  }
}

class PatternRefusal extends Error {
  override readonly name = 'PatternRefusal'
  readonly problem: PatternProblem

  constructor(problem: PatternProblem) {
    super(problem.message)
    this.problem = problem
  }
}

interface Piece {
  readonly source: string
  /** The largest product of counted repetitions within each other. */
  readonly repeats: number
  /** Anchors stand between characters: repeating them says nothing. */
  readonly isAnchor: boolean
}

const groupDepthMax = 50
const repeatMax = 1000

class PatternReader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  readAll(): string {
    const { source } = this.#readAlternatives()
    if (this.#at < this.#text.length)
      this.#refuse('this ) closes nothing', this.#at, this.#at + 1, 'write \\) for itself')
    return source
  }

  #readAlternatives(): Piece {
    const branches: string[] = []
    let branch = ''
    let repeats = 1
    while (this.#at < this.#text.length && this.#text[this.#at] !== ')') {
      if (this.#text[this.#at] === '|') {
        branches.push(branch)
        branch = ''
        this.#at++
        continue
      }
      const piece = this.#readRepeated()
      branch += piece.source
      repeats = Math.max(repeats, piece.repeats)
    }
    return { source: [...branches, branch].join('|'), repeats, isAnchor: false }
  }

  #readRepeated(): Piece {
    const start = this.#at
    const atom = this.#readAtom()
    const quantifierAt = this.#at
    const quantifier = this.#readQuantifier()
    if (quantifier === undefined) return atom
    if (atom.isAnchor) this.#refuse('an anchor cannot be repeated', quantifierAt, this.#at)
    const repeats = atom.repeats * quantifier.count
    if (repeats > repeatMax) this.#refuse(`repeats more than ${repeatMax} times`, start, this.#at)
    const secondAt = this.#at
    if (this.#readQuantifier() !== undefined) {
      this.#refuse('a repetition cannot be repeated', secondAt, this.#at, 'put the first into a group: (?:...)')
    }
    return { source: atom.source + quantifier.source, repeats, isAnchor: false }
  }

  #readQuantifier(): { source: string; count: number } | undefined {
    const rest = this.#text.slice(this.#at, this.#at + quantifierLengthMax)
    const match = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/.exec(rest)
    if (match === null) return undefined
    const low = Number(match[1] ?? 0)
    const high = match[3] === undefined || match[3] === '' ? low : Number(match[3])
    const from = this.#at
    this.#at += match[0].length
    if (Math.max(low, high) > repeatMax) this.#refuse(`repeats more than ${repeatMax} times`, from, this.#at)
    if (high < low) this.#refuse('the larger count comes first', from, this.#at)
    return { source: match[0], count: Math.max(low, high, 1) }
  }

  #readAtom(): Piece {
    const from = this.#at
    const letter = String.fromCodePoint(this.#text.codePointAt(from)!)
    if (letter === '(') return this.#readGroup()
    if (letter === '[') return plain(this.#readClass())
    if (letter === '\\') return this.#readEscape()
    if (this.#readQuantifier() !== undefined) this.#refuse('nothing stands before this repetition', from, this.#at)
    this.#at += letter.length
    if (letter === '.') return plain('[^\\n]')
    if (letter === '^' || letter === '$') return { source: letter, repeats: 1, isAnchor: true }
    return plain(escapeCharacter(letter))
  }

  #readGroup(): Piece {
    const from = this.#at
    this.#at += this.#readGroupOpening().length
    if (++this.#depth > groupDepthMax) this.#refuse('groups are nested too deep', from, from + 1)
    const inside = this.#readAlternatives()
    if (this.#text[this.#at] !== ')') this.#refuse('this group is not closed', from, from + 1, 'write \\( for itself')
    this.#at++
    this.#depth--
    return { source: `(?:${inside.source})`, repeats: inside.repeats, isAnchor: false }
  }

  #readGroupOpening(): string {
    const from = this.#at
    const rest = this.#text.slice(from, from + openingLengthMax)
    if (!rest.startsWith('(?')) return '('
    if (/^\(\?<?[=!]/.test(rest)) {
      const length = rest[2] === '<' ? 4 : 3
      const kind = length === 4 ? 'look-behind' : 'look-ahead'
      const hint = 'use a second test beside it, joined by and, or and not'
      this.#refuse(`${kind} is not supported`, from, from + length, hint)
    }
    const opening = /^\(\?(?::|P?<[A-Za-z_]\w{0,99}>)/.exec(rest)?.[0]
    if (opening !== undefined) return opening
    if (/^\(\?[imsU-]+[:)]/.test(rest)) {
      const hint = 'write i behind the string to ignore case, and [\\s\\S] for any character with line feeds'
      this.#refuse('flags inside a regular expression are not supported', from, from + rest.search(/[:)]/) + 1, hint)
    }
    return this.#refuse('this kind of group is not supported', from, from + 3)
  }

  #readEscape(): Piece {
    const from = this.#at
    const letter = this.#text[from + 1]
    if (letter === 'b' || letter === 'B') return this.#anchor(`\\${letter}`)
    if (letter === 'A') return this.#anchor('^')
    if (letter === 'z') return this.#anchor('$')
    const { source, isSet } = this.#readClassEscape()
    return plain(isSet ? `[${source}]` : source)
  }

  #anchor(source: string): Piece {
    this.#at += 2
    return { source, repeats: 1, isAnchor: true }
  }

  /** An escape that may also stand in a class. */
  #readClassEscape(): { source: string; isSet: boolean; code?: number } {
    const from = this.#at
    const rest = this.#text.slice(from, from + escapeLengthMax)
    const letter = rest[1]
    if (letter === undefined)
      return this.#refuse('nothing follows the backslash', from, from + 1, 'write \\\\ for itself')
    this.#at += 2
    if (Object.hasOwn(perlClasses, letter)) return { source: perlClasses[letter]!, isSet: true }
    if (Object.hasOwn(controls, letter)) return character(controls[letter]!)
    if (letter === 'p' || letter === 'P') return { source: this.#readProperty(rest, from), isSet: true }
    if (letter === 'x') return character(this.#readHex(rest, from))
    if (/[1-9]/.test(letter) || /^\\k[<{']/.test(rest)) {
      return this.#refuse(
        'back-references are not supported',
        from,
        this.#at,
        'no engine can match them in linear time',
      )
    }
    const code = this.#text.codePointAt(from + 1)!
    this.#at = from + 1 + String.fromCodePoint(code).length
    if (code < 0x80 && !/[A-Za-z0-9]/.test(letter)) return character(code)
    return this.#refuse(`${this.#text.slice(from, this.#at)} is not known`, from, this.#at)
  }

  #readProperty(rest: string, from: number): string {
    const match = /^\\[pP](?:([A-Z])|\{(\^?)([A-Za-z_]{1,40})\})/.exec(rest)
    if (match === null) return this.#refuse('a class of Unicode such as \\p{L} is expected', from, from + 2)
    this.#at = from + match[0].length
    const isNegated = (rest[1] === 'P') !== (match[2] === '^')
    const name = match[1] ?? match[3]!
    const known = [name, `Script=${name}`].find(isUnicodeProperty)
    if (known === undefined) return this.#refuse(`there is no class of Unicode called ${name}`, from, this.#at)
    return `\\${isNegated ? 'P' : 'p'}{${known}}`
  }

  #readHex(rest: string, from: number): number {
    const match = /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest)
    const code = match === null ? Number.NaN : Number.parseInt(match[1] ?? match[2]!, 16)
    if (match === null || code > 0x10ffff) {
      return this.#refuse('a character such as \\x41 or \\x{1F600} is expected', from, from + 2)
    }
    this.#at = from + match[0].length
    return code
  }

  #readClass(): string {
    const from = this.#at++
    let source = '['
    if (this.#text[this.#at] === '^') {
      source += '^'
      this.#at++
    }
    // A bracket that comes first is itself.
    for (let isFirst = true; this.#at < this.#text.length; isFirst = false) {
      if (this.#text[this.#at] === ']' && !isFirst) {
        this.#at++
        return `${source}]`
      }
      source += this.#readClassItem()
    }
    return this.#refuse('this class is not closed', from, from + 1, 'write \\[ for itself')
  }

  #readClassItem(): string {
    const from = this.#at
    const posix = /^\[:(\^?)([a-z]{1,10}):\]/.exec(this.#text.slice(from, from + 16))
    if (posix !== null) {
      const ranges = Object.hasOwn(posixClasses, posix[2]!) ? posixClasses[posix[2]!] : undefined
      if (ranges === undefined || posix[1] === '^') {
        return this.#refuse(`${posix[0]} is not known`, from, from + posix[0].length)
      }
      this.#at += posix[0].length
      return ranges
    }
    const low = this.#readClassCharacter()
    if (low.isSet || this.#text[this.#at] !== '-' || this.#text[this.#at + 1] === ']') return low.source
    if (this.#at + 1 >= this.#text.length) return low.source
    this.#at++
    const high = this.#readClassCharacter()
    if (high.isSet) return this.#refuse('a range ends in a single character', from, this.#at)
    if (low.code! > high.code!) return this.#refuse('the range is empty: its end comes first', from, this.#at)
    return `${low.source}-${high.source}`
  }

  #readClassCharacter(): { source: string; isSet: boolean; code?: number } {
    if (this.#text[this.#at] === '\\') return this.#readClassEscape()
    const code = this.#text.codePointAt(this.#at)!
    this.#at += String.fromCodePoint(code).length
    return character(code)
  }

  #refuse(message: string, from: number, to: number, hint?: string): never {
    throw new PatternRefusal({
      message,
      from,
      to: Math.min(to, this.#text.length),
      ...(hint === undefined ? {} : { hint }),
    })
  }
}

const quantifierLengthMax = 24
const openingLengthMax = 110
const escapeLengthMax = 48

function plain(source: string): Piece {
  return { source, repeats: 1, isAnchor: false }
}

function character(code: number): { source: string; isSet: boolean; code: number } {
  return { source: escapeCharacter(String.fromCodePoint(code)), isSet: false, code }
}

/** Letters, digits and blanks as they are, everything else by its number: right in and out of classes. */
function escapeCharacter(letter: string): string {
  return /^[\w ]$/.test(letter) ? letter : `\\u{${letter.codePointAt(0)!.toString(16)}}`
}

function isUnicodeProperty(name: string): boolean {
  try {
    new RegExp(`\\p{${name}}`, 'u')
    return true
  } catch {
    return false
  }
}

/** To stand within a class. */
const perlClasses: Readonly<Record<string, string>> = {
  d: '0-9',
  D: '\\0-\\x2f\\x3a-\\u{10ffff}',
  w: '0-9A-Za-z_',
  W: '\\0-\\x2f\\x3a-\\x40\\x5b-\\x5e\\x60\\x7b-\\u{10ffff}',
  s: '\\t\\n\\f\\r ',
  S: '\\0-\\x08\\x0b\\x0e-\\x1f\\x21-\\u{10ffff}',
}

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }

const posixClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\0-\\x7f',
  blank: '\\t ',
  cntrl: '\\0-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  space: '\\t-\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}
