/**
 * Reads a YAML tree against its description (option.ts): one walk that collects every mistake with its place and builds the typed
 * value. Where a part is wrong the walk goes on with the parts beside it, so that one run shows all mistakes.
 */
import { assert } from '../core/assert.ts'
import type { Option, OptionValue, RecordOption } from './option.ts'
import { valueName } from './option.ts'
import { type ConfigProblem, findNearest, problemCountMax, suggestNearest } from './problems.ts'
import { formatDuration, formatSize, parseDuration, parseSize, quote } from './units.ts'
import type { YamlSource, YamlValue } from './yaml-source.ts'

/** Collects mistakes and knows where each key path stands in the text. */
export class ProblemCollector {
  readonly problems: ConfigProblem[] = []
  /** Mistakes beyond `problemCountMax`. */
  droppedCount = 0
  /** Records without a mistake inside, by path: what can be checked further although something around them is wrong. */
  readonly soundRecords = new Map<string, unknown>()
  readonly #file: string
  readonly #source: YamlSource
  readonly #offsets = new Map<string, number>()

  constructor(file: string, source: YamlSource) {
    this.#file = file
    this.#source = source
  }

  remember(path: string, offset: number): void {
    this.#offsets.set(path, offset)
  }

  /** Reports at the place of `path`, or of the nearest part around it that stands in the text. */
  report(path: string, message: string): void {
    let around = path
    while (!this.#offsets.has(around) && around !== '')
      around = around.slice(0, Math.max(0, around.search(/(\.|\[)[^.[]*$/)))
    this.reportAt(this.#offsets.get(around) ?? 0, path, message)
  }

  /** `floe.yaml:12:5` */
  placeOf(path: string): string {
    const { line, column } = this.#source.positionOf(this.#offsets.get(path) ?? 0)
    return `${this.#file}:${line}:${column}`
  }

  reportAt(offset: number, path: string, message: string): void {
    if (this.problems.length >= problemCountMax) {
      this.droppedCount++
      return
    }
    const { line, column } = this.#source.positionOf(offset)
    this.problems.push({ file: this.#file, line, column, path, message })
  }
}

/**
 * The value of `option`, defaults filled in, or undefined after reporting why not. A record with mistakes in it is undefined as a
 * whole.
 */
export function readOption<O extends Option>(
  option: O,
  value: YamlValue,
  path: string,
  collector: ProblemCollector,
): OptionValue<O> | undefined {
  return readValue(option, value, path, collector) as OptionValue<O> | undefined
}

/** The record at `path` if it was read without a mistake. */
export function soundRecord<O extends RecordOption>(
  _option: O,
  path: string,
  collector: ProblemCollector,
): OptionValue<O> | undefined {
  return collector.soundRecords.get(path) as OptionValue<O> | undefined
}

function readValue(option: Option, value: YamlValue, path: string, collector: ProblemCollector): unknown {
  collector.remember(path, value.offset)
  const fail = (message: string): undefined => {
    collector.reportAt(value.offset, path, message)
    return undefined
  }
  if (option.kind === 'lazy') return readValue(option.get(), value, path, collector)
  if (option.kind === 'record') return readRecord(option, value, path, collector)
  if (option.kind === 'list') {
    if (value.kind !== 'list') return fail(`must be a list (lines that begin with \`- \`), not ${describeKind(value)}`)
    if (value.items.length < option.countMin) return fail(`must have at least ${countItems(option.countMin)}`)
    if (value.items.length > option.countMax) return fail(`must have at most ${countItems(option.countMax)}`)
    const items = value.items.map((item, index) => readValue(option.item, item, `${path}[${index}]`, collector))
    return items.includes(undefined) ? undefined : items
  }
  if (value.kind !== 'scalar' || value.value === null) {
    return fail(`must be ${describeOption(option)}, not ${describeKind(value)}`)
  }
  const result = readScalar(option, value.value, value.source)
  return 'problem' in result ? fail(result.problem) : result.value
}

type ScalarOption = Exclude<Option, { kind: 'lazy' | 'record' | 'list' }>

/** Also used for defaults, whose text is written as a user would write it. */
export function readScalar(
  option: ScalarOption,
  value: unknown,
  source: string,
): { readonly value: string | number | boolean } | { readonly problem: string } {
  switch (option.kind) {
    case 'text': {
      if (typeof value !== 'string') return { problem: `must be text: write it in quotes, "${source}"` }
      if (value === '' && option.mayBeEmpty !== true) return { problem: 'must not be empty' }
      if (option.lengthMax !== undefined && value.length > option.lengthMax) {
        return { problem: `must have at most ${option.lengthMax} characters, has ${value.length}` }
      }
      if (option.pattern !== undefined && !option.pattern.test(value)) {
        return { problem: `must be ${option.patternHint ?? 'of another form'}, not ${quote(value)}` }
      }
      return { value }
    }
    case 'integer': {
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
        return { problem: `must be a whole number, not ${quote(source)}` }
      }
      if (value < option.min || value > option.max) {
        return { problem: `must lie between ${option.min} and ${option.max}, is ${value}` }
      }
      return { value }
    }
    case 'boolean':
      return typeof value === 'boolean' ? { value } : { problem: `must be true or false, not ${quote(source)}` }
    case 'choice': {
      if (typeof value === 'string' && option.values.includes(value)) return { value }
      const nearest = findNearest(source, option.values)
      const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
      return { problem: `must be one of ${option.values.join(', ')}, not ${quote(source)}${hint}` }
    }
    case 'duration': {
      const parsed = parseDuration(source)
      if ('problem' in parsed) return parsed
      if (parsed.value >= option.minMs && parsed.value <= option.maxMs) return parsed
      return {
        problem: `must lie between ${formatDuration(option.minMs)} and ${formatDuration(option.maxMs)}, is ${source}`,
      }
    }
    case 'size': {
      const parsed = parseSize(source)
      if ('problem' in parsed) return parsed
      if (parsed.value >= option.minBytes && parsed.value <= option.maxBytes) return parsed
      return {
        problem: `must lie between ${formatSize(option.minBytes)} and ${formatSize(option.maxBytes)}, is ${source}`,
      }
    }
  }
}

/** What YAML makes of the end of an unquoted `decimal(10,2)` in `{ }`. */
const commaTail = /^\d+\s*\)$/

function readRecord(option: RecordOption, value: YamlValue, path: string, collector: ProblemCollector): unknown {
  let entries = value.kind === 'map' ? value.entries : undefined
  if (value.kind === 'scalar' && value.value === null && option.shorthand === undefined) entries = []
  if (value.kind === 'scalar' && value.value !== null && option.shorthand !== undefined) {
    entries = [{ key: option.shorthand, keyOffset: value.offset, value }]
  }
  if (entries === undefined) {
    collector.reportAt(value.offset, path, `must be a group of keys (\`key: value\`), not ${describeKind(value)}`)
    return undefined
  }
  const names = Object.keys(option.keys)
  const written = new Map(entries.map(entry => [entry.key, entry]))
  let sound = true
  for (const entry of entries) {
    if (Object.hasOwn(option.keys, entry.key)) continue
    sound = false
    const at = joinPath(path, entry.key)
    if (commaTail.test(entry.key)) {
      collector.reportAt(entry.keyOffset, at, 'a comma ends a value in { }: put it in quotes, such as "decimal(10,2)"')
      continue
    }
    const missing = names.filter(name => !written.has(name))
    const hint = suggestNearest(entry.key, missing) || suggestNearest(entry.key, names)
    collector.reportAt(entry.keyOffset, at, `unknown key${hint || `: use ${names.join(', ')}`}`)
  }
  const result: Record<string, unknown> = {}
  for (const [name, key] of Object.entries(option.keys)) {
    const at = joinPath(path, name)
    const entry = written.get(name)
    // A key with nothing behind it counts as left out, except where a value is needed.
    const isLeftOut =
      entry === undefined ||
      (entry.value.kind === 'scalar' && entry.value.value === null && key.presence !== 'required')
    let read: unknown
    if (!isLeftOut) {
      collector.remember(at, entry.keyOffset)
      read = readValue(key.option, entry.value, at, collector)
      if (read === undefined) sound = false
    } else if (key.presence === 'required') {
      sound = false
      // A near miss among the unknown keys has been reported with its suggestion already.
      const misspelt = entries.some(
        other => !Object.hasOwn(option.keys, other.key) && findNearest(other.key, [name]) === name,
      )
      if (!misspelt) collector.reportAt(value.offset, path, `the key \`${name}\` is missing: ${firstSentence(key.doc)}`)
    } else if (key.presence === 'default') {
      read = readDefault(key.option, key.defaultText ?? '', at, collector)
    }
    result[valueName(name, key.option)] = read
  }
  if (!sound) return undefined
  collector.soundRecords.set(path, result)
  return result
}

/** Defaults of groups and lists are empty ones. */
function readDefault(option: Option, defaultText: string, path: string, collector: ProblemCollector): unknown {
  if (option.kind === 'list') return []
  if (option.kind === 'lazy' || option.kind === 'record') {
    return readValue(option, { kind: 'map', offset: 0, entries: [] }, path, collector)
  }
  const plain =
    option.kind === 'integer' ? Number(defaultText) : option.kind === 'boolean' ? defaultText === 'true' : defaultText
  const result = readScalar(option, plain, defaultText)
  assert(!('problem' in result), `the default of ${path} is not valid`)
  return result.value
}

/** User text inside a path: bounded and on one line. */
function joinPath(path: string, key: string): string {
  const line = key.replaceAll(/\p{Cc}/gu, ' ')
  const shown = line.length > 60 ? `${line.slice(0, 57)}...` : line
  return path === '' ? shown : `${path}.${shown}`
}

function describeKind(value: YamlValue): string {
  if (value.kind === 'list') return 'a list'
  if (value.kind === 'map') return 'a group of keys'
  return value.value === null ? 'nothing' : quote(value.source)
}

function describeOption(option: ScalarOption): string {
  switch (option.kind) {
    case 'text':
      return 'text'
    case 'integer':
      return 'a whole number'
    case 'boolean':
      return 'true or false'
    case 'choice':
      return `one of ${option.values.join(', ')}`
    case 'duration':
      return 'a duration such as 10s'
    case 'size':
      return 'a size such as 256MB'
  }
}

function countItems(count: number): string {
  return count === 1 ? 'one item' : `${count} items`
}

function firstSentence(doc: string): string {
  const end = doc.search(/\.( |$)/)
  return end === -1 ? doc : doc.slice(0, end)
}
