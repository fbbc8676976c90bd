/** Durations and sizes as people write them. Both return a number, or a sentence that says what to write instead. */

const durationUnitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const sizeUnitBytes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

export type Measured = { readonly value: number } | { readonly problem: string }

/** `250ms`, `10s`, `5m`, `1.5h`, `7d` to whole milliseconds. */
export function parseDuration(source: string): Measured {
  return parseMeasure(source, durationUnitMs, 'a duration', 'ms, s, m, h or d', '10s')
}

/** `4MiB` (1024 based), `256MB` (1000 based), `512 KiB` to whole bytes. */
export function parseSize(source: string): Measured {
  return parseMeasure(source, sizeUnitBytes, 'a size', 'B, KB, MB, GB, KiB, MiB or GiB', '256MB')
}

/** The shortest exact way to write a number of milliseconds. */
export function formatDuration(valueMs: number): string {
  return formatMeasure(valueMs, ['d', 'h', 'm', 's', 'ms'], durationUnitMs)
}

/** The shortest exact way to write a number of bytes. */
export function formatSize(valueBytes: number): string {
  return formatMeasure(valueBytes, ['TiB', 'GiB', 'MiB', 'KiB', 'TB', 'GB', 'MB', 'KB', 'B'], sizeUnitBytes)
}

function parseMeasure(
  source: string,
  units: Readonly<Record<string, number>>,
  what: string,
  unitNames: string,
  example: string,
): Measured {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]*)$/.exec(source.trim())
  if (match === null) return { problem: `must be ${what} such as ${example}, not ${quote(source)}` }
  const count = Number(match[1])
  const unit = match[2] ?? ''
  if (unit === '') {
    if (count === 0) return { value: 0 }
    return { problem: `must be ${what} with its unit (${unitNames}), such as ${example}` }
  }
  const scale = Object.hasOwn(units, unit) ? units[unit] : findUnitOfOtherCase(units, unit)
  if (scale === undefined) return { problem: `has the unknown unit ${quote(unit)}: use ${unitNames}` }
  const value = Math.round(count * scale)
  if (!Number.isSafeInteger(value)) return { problem: 'is too large' }
  return { value }
}

function findUnitOfOtherCase(units: Readonly<Record<string, number>>, unit: string): number | undefined {
  const name = Object.keys(units).find(known => known.toLowerCase() === unit.toLowerCase())
  return name === undefined ? undefined : units[name]
}

function formatMeasure(value: number, names: readonly string[], units: Readonly<Record<string, number>>): string {
  if (value === 0) return `0${names.at(-1)}`
  for (const name of names) {
    const scale = units[name] ?? 1
    if (value % scale === 0) return `${value / scale}${name}`
  }
  return `${value}${names.at(-1)}`
}

/** User text inside a message: one line, bounded, printable. */
export function quote(source: string): string {
  const shown = source.length > 60 ? `${source.slice(0, 57)}...` : source
  return JSON.stringify(shown)
}
