/**
 * How commands speak. Results go to standard output, everything else to standard error. With `--json` the output is JSON alone;
 * progress and colours appear only on a terminal.
 */
import { once } from 'node:events'
import pc from 'picocolors'
import { toJson } from '../../api/json.ts'

export interface Output {
  /** Results are JSON. */
  readonly isJson: boolean
  /** Standard error is a terminal, so progress may be drawn. */
  readonly showsProgress: boolean
  readonly colors: ReturnType<typeof pc.createColors>
  /** One result: the value as JSON, or the text for people. */
  result(value: unknown, text: () => string): void
  line(text: string): void
  /** One line of JSON for each, no faster than they are read. */
  jsonLines(values: AsyncIterable<unknown>): Promise<void>
  /** A remark beside the result. */
  note(text: string): void
  /** Replaces the progress line; an empty text removes it. */
  progress(text: string): void
}

export function createOutput(isJson: boolean): Output {
  const isTerminal = process.stderr.isTTY === true
  let progressShown = false
  const clearProgress = (): void => {
    if (progressShown) process.stderr.write('\r\u001b[2K')
    progressShown = false
  }
  const line = (text: string): void => {
    clearProgress()
    process.stdout.write(`${text}\n`)
  }
  return {
    isJson,
    showsProgress: isTerminal,
    colors: pc.createColors(process.stdout.isTTY === true && pc.isColorSupported),
    result: (value, text) => line(isJson ? toJson(value) : text()),
    line,
    async jsonLines(values) {
      clearProgress()
      for await (const value of values) {
        if (!process.stdout.write(`${toJson(value)}\n`)) await once(process.stdout, 'drain')
      }
    },
    note(text) {
      clearProgress()
      process.stderr.write(`${text}\n`)
    },
    progress(text) {
      if (!isTerminal) return
      clearProgress()
      if (text === '') return
      process.stderr.write(text.slice(0, (process.stderr.columns ?? 80) - 1))
      progressShown = true
    },
  }
}

export type Align = 'left' | 'right'

/** Columns padded to their widest cell. */
export function formatTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  aligns: readonly Align[] = [],
): string {
  const widths = headers.map((header, column) =>
    rows.reduce((widest, row) => Math.max(widest, displayWidth(row[column] ?? '')), displayWidth(header)),
  )
  const formatRow = (row: readonly string[]): string =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? ''
        const padding = ' '.repeat(Math.max(0, width - displayWidth(cell)))
        return aligns[column] === 'right' ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd()
  return [formatRow(headers), ...rows.map(formatRow)].join('\n')
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
const colorCode = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g')

/** Columns a text takes on a terminal. */
function displayWidth(text: string): number {
  let width = 0
  for (const character of text.replaceAll(colorCode, '')) width += wide.test(character) ? 2 : 1
  return width
}

/** 1234567 as `1,234,567`. */
export function formatCount(count: number | bigint): string {
  return count.toLocaleString('en-US')
}

/** Bytes in the largest unit that keeps one digit before the point. */
export function formatBytes(bytes: number | bigint): string {
  let value = Number(bytes)
  for (const unit of ['B', 'KB', 'MB', 'GB']) {
    if (value < 1000) return `${unit === 'B' ? value : value.toFixed(1)} ${unit}`
    value /= 1000
  }
  return `${value.toFixed(1)} TB`
}
