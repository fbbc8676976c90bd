/**
 * YAML text to a tree that remembers where everything stood. The text is hostile: its size, the number of values it expands to
 * (aliases count each time they are used) and its depth are bounded, and nothing but reported problems comes out.
 *
 * YAML 1.2 core schema; aliases are followed, merge keys (`<<`) and custom tags are not served.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { quote } from './units.ts'

/** One YAML value. `offset` is its place in the text. */
export type YamlValue =
  | { readonly kind: 'scalar'; readonly offset: number; readonly value: unknown; readonly source: string }
  | { readonly kind: 'list'; readonly offset: number; readonly items: readonly YamlValue[] }
  | { readonly kind: 'map'; readonly offset: number; readonly entries: readonly YamlEntry[] }

export interface YamlEntry {
  readonly key: string
  readonly keyOffset: number
  readonly value: YamlValue
}

export interface YamlPosition {
  readonly line: number
  readonly column: number
}

export interface YamlProblem extends YamlPosition {
  readonly message: string
}

export interface YamlSource {
  /** Undefined when the text is empty or is not YAML; `problems` then says why, unless it is empty. */
  readonly root: YamlValue | undefined
  readonly problems: readonly YamlProblem[]
  positionOf(offset: number): YamlPosition
}

/** In UTF-16 units. Composing hostile text of this size takes seconds, not minutes. */
export const yamlLengthMax = 1024 * 1024
export const yamlValueCountMax = 200_000
export const yamlDepthMax = 64
const syntaxProblemCountMax = 5

export function readYaml(source: string): YamlSource {
  const lines = new LineCounter()
  const positionOf = (offset: number): YamlPosition => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const fail = (message: string, offset = 0): YamlSource => ({
    root: undefined,
    problems: [{ ...positionOf(offset), message }],
    positionOf,
  })
  if (source.length > yamlLengthMax) return fail(`is longer than ${yamlLengthMax} characters`)
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    // Compares each key with every other; the walk below finds duplicates with a set.
    uniqueKeys: false,
    // Nothing is printed; `silent` would let a second document pass.
    logLevel: 'error',
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
  })
  // After the first few, syntax errors are echoes of each other.
  const problems = [...document.errors, ...document.warnings].slice(0, syntaxProblemCountMax).map(error => ({
    ...positionOf(error.pos[0]),
    message: describeYamlError(error.code, error.message),
  }))
  if (document.errors.length > 0 || document.contents === null) return { root: undefined, problems, positionOf }

  let valueCount = 0
  const convert = (node: Node | null | undefined, depth: number, offset: number): YamlValue => {
    valueCount++
    if (valueCount > yamlValueCountMax)
      throw new YamlBoundError(`expands to more than ${yamlValueCountMax} values`, offset)
    if (depth > yamlDepthMax) throw new YamlBoundError(`is nested deeper than ${yamlDepthMax} levels`, offset)
    if (node === null || node === undefined) return { kind: 'scalar', offset, value: null, source: '' }
    const at = node.range?.[0] ?? offset
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (target === undefined) throw new YamlBoundError(`the alias *${node.source} names no anchor before it`, at)
      return convert(target, depth + 1, at)
    }
    if (isScalar(node)) return { kind: 'scalar', offset: at, value: node.value, source: node.source ?? '' }
    if (isSeq(node)) {
      const items = node.items.map(item => convert(isPair(item) ? undefined : (item as Node | null), depth + 1, at))
      return { kind: 'list', offset: at, items }
    }
    if (isMap(node)) {
      const entries: YamlEntry[] = []
      const seen = new Set<string>()
      for (const pair of node.items) {
        const keyNode = pair.key as Node | null
        const keyOffset = keyNode?.range?.[0] ?? at
        if (!isScalar(keyNode)) throw new YamlBoundError('a key must be plain text', keyOffset)
        const key = typeof keyNode.value === 'string' ? keyNode.value : (keyNode.source ?? String(keyNode.value))
        if (seen.has(key)) {
          problems.push({
            ...positionOf(keyOffset),
            message: `the key ${quote(key)} stands here a second time: keep one of the two`,
          })
          continue
        }
        seen.add(key)
        entries.push({ key, keyOffset, value: convert(pair.value as Node | null, depth + 1, keyOffset) })
      }
      return { kind: 'map', offset: at, entries }
    }
    throw new YamlBoundError('is not a YAML value Floe understands', at)
  }
  try {
    return { root: convert(document.contents, 0, 0), problems, positionOf }
  } catch (error) {
    if (!(error instanceof YamlBoundError)) throw error
    return {
      root: undefined,
      problems: [...problems, { ...positionOf(error.offset), message: error.message }],
      positionOf,
    }
  }
}

class YamlBoundError extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

function describeYamlError(code: string, message: string): string {
  const text = message.replaceAll(/\s+/g, ' ').trim()
  if (code === 'RESOURCE_EXHAUSTION') return `is nested deeper than ${yamlDepthMax} levels`
  if (code === 'MULTIPLE_DOCS') return 'holds more than one YAML document: keep one (remove the line `---`)'
  if (code === 'TAB_AS_INDENT') return 'is indented with a tab: YAML takes spaces only'
  if (code === 'TAG_RESOLVE_FAILED') return 'has a tag (`!name`), which Floe does not use: remove it'
  if (code === 'BAD_INDENT') return `is indented wrongly: ${lowerFirst(text)}`
  return `is not valid YAML: ${lowerFirst(text)}`
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
