/**
 * The rules of the house that the formatter and linter cannot express: import directions, and ambient state (clock, timers,
 * randomness, network, file system, environment) only where it is bound. Pure: text in, findings out.
 *
 * The table is that of docs/architecture.md. `types` marks a folder that may be imported with `import type` only.
 */
export interface Finding {
  readonly file: string
  readonly line: number
  readonly message: string
}

type Reach = Readonly<Record<string, 'values' | 'types'>>

const values = (...folders: string[]): Reach => Object.fromEntries(folders.map(folder => [folder, 'values' as const]))

/** What each folder may import, besides itself. Option types of `config` may be imported anywhere. */
export const importTable: Readonly<Record<string, Reach>> = {
  core: {},
  kafka: { ...values('core'), config: 'types' },
  config: values('core'),
  storage: { ...values('core'), config: 'types' },
  table: { ...values('storage', 'core'), config: 'types' },
  catalog: { ...values('storage', 'core'), table: 'types', config: 'types' },
  broker: { ...values('catalog', 'storage', 'kafka', 'core'), table: 'types', config: 'types' },
  ingest: { ...values('catalog', 'table', 'storage', 'kafka', 'core'), config: 'types' },
  query: { ...values('catalog', 'table', 'storage', 'kafka', 'core'), config: 'types' },
  api: values('broker', 'ingest', 'query', 'catalog', 'table', 'storage', 'kafka', 'config', 'core'),
  bin: values('api', 'broker', 'ingest', 'query', 'catalog', 'table', 'storage', 'kafka', 'config', 'core'),
}

/** Runs in browsers as well. */
const browserFolder = 'query/language/'
const browserModules = new Set(['chevrotain'])

const ambientFolders = new Set(['core', 'bin'])

const ambientModules =
  /^node:(fs|fs\/promises|net|http|https|http2|tls|dgram|dns|dns\/promises|worker_threads|child_process|os|timers|timers\/promises|perf_hooks|process)$/

const ambientUses: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/, 'take the time from a Clock (core/clock.ts)'],
  [/(?<![.\w])(setTimeout|setInterval|setImmediate)\s*\(/, 'take timers from a Clock (core/clock.ts)'],
  [
    /\bMath\.random\b|\brandom(Bytes|UUID|FillSync|Int)\b|\bgetRandomValues\b/,
    'take randomness from Random (core/random.ts)',
  ],
  [/(?<![.\w])process\.(env|hrtime|exit|on|stdout|stderr|stdin)\b/, 'process state belongs to bin/'],
  [/\b(await|return|=)\s+fetch\s*\(/, 'network belongs to core/ and bin/'],
]

const importPattern =
  /^\s*(?:import|export)\s+(type\s+)?[^'"]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/

/** `file` is relative to the root, with `/`. Returns the breaches in line order. */
export function checkSource(file: string, text: string): Finding[] {
  const folder = file.split('/')[0]!
  const reach = importTable[folder]
  if (reach === undefined) return []
  const findings: Finding[] = []
  const lines = joinImports(stripComments(text)).split('\n')
  for (const [index, line] of lines.entries()) {
    const report = (message: string): void => {
      findings.push({ file, line: index + 1, message })
    }
    const match = importPattern.exec(line)
    if (match !== null) {
      const specifier = match[2] ?? match[3] ?? match[4]!
      checkImport(file, folder, reach, specifier, match[1] !== undefined, report)
      checkBrowserImport(file, specifier, report)
    }
    if (ambientFolders.has(folder)) continue
    if (file.startsWith(browserFolder) && /\b(Buffer|process)\./.test(line)) {
      report(`${browserFolder} runs in browsers, which have no Buffer and no process`)
    }
    for (const [pattern, advice] of ambientUses) {
      const use = pattern.exec(line)
      if (use !== null) report(`${use[0].trim()} is ambient: ${advice}`)
    }
  }
  return findings
}

function checkImport(
  file: string,
  folder: string,
  reach: Reach,
  specifier: string,
  typeOnly: boolean,
  report: (message: string) => void,
): void {
  if (!specifier.startsWith('.')) {
    if (!typeOnly && !ambientFolders.has(folder) && ambientModules.test(specifier)) {
      report(`${specifier} belongs to core/ and bin/: take what you need as a parameter`)
    }
    return
  }
  const target = resolveFolder(file, specifier)
  if (target === folder) return
  const allowed = reach[target]
  if (allowed === undefined) report(`${folder}/ must not import ${target}/`)
  else if (allowed === 'types' && !typeOnly) report(`${folder}/ may import only types from ${target}/`)
}

function checkBrowserImport(file: string, specifier: string, report: (message: string) => void): void {
  if (!file.startsWith(browserFolder)) return
  const isOwn = specifier.startsWith('.') && resolvePath(file, specifier).startsWith(browserFolder)
  if (!isOwn && !browserModules.has(specifier)) {
    report(
      `${browserFolder} runs in browsers: it imports itself and ${[...browserModules].join(', ')}, not ${specifier}`,
    )
  }
}

function resolveFolder(file: string, specifier: string): string {
  return resolvePath(file, specifier).split('/')[0]!
}

function resolvePath(file: string, specifier: string): string {
  const parts = file.split('/').slice(0, -1)
  for (const step of specifier.split('/')) {
    if (step === '..') parts.pop()
    else if (step !== '.') parts.push(step)
  }
  return parts.join('/')
}

/** Blanks comments, keeping line numbers. Strings are left alone: a rule that trips over one deserves a look. */
function stripComments(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, comment => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(
      /(^|[^:'"`\\])\/\/[^\n]*/g,
      (comment, before: string) => before + ' '.repeat(comment.length - before.length),
    )
}

/** Puts a multi-line import on the line where it ends, so that one pattern sees it whole. */
function joinImports(text: string): string {
  return text.replaceAll(/^(\s*(?:import|export)\s+(?:type\s+)?\{[^}]*\})(\s*from\b)/gm, (whole: string) => {
    const newlines = whole.split('\n').length - 1
    return '\n'.repeat(newlines) + whole.replaceAll('\n', ' ')
  })
}
