/** The demo's view of a terminal: one block of lines that is drawn over itself. In a pipe nothing is drawn. */
import pc from 'picocolors'
import type { Log } from '../../core/log.ts'
import { formatCount, formatTable } from '../cli/output.ts'
import type { TableProgress } from './progress.ts'

const troublesShown = 3

export class LiveView {
  #lineCount = 0
  #lastRecords = new Map<string, number>()
  #lastMs = 0
  readonly #troubles: string[] = []
  readonly #isDrawn = process.stdout.isTTY === true

  /** Keeps warnings and errors for the view; in a pipe they go to standard error. */
  get log(): Log {
    return this.#bind('')
  }

  #bind(prefix: string): Log {
    const trouble = (level: string, message: string, problem: unknown): void => {
      const line = `${level}: ${prefix}${message}${typeof problem === 'string' ? `: ${problem}` : ''}`
      if (!this.#isDrawn) process.stderr.write(`${line}\n`)
      if (this.#troubles.push(line) > troublesShown) this.#troubles.shift()
    }
    return {
      debug: () => {},
      info: () => {},
      warn: (message, fields) => trouble('warning', message, fields?.problem ?? fields?.reason ?? fields?.error),
      error: (message, fields) => trouble('error', message, fields?.problem ?? fields?.reason ?? fields?.error),
      with: fields => this.#bind(typeof fields.table === 'string' ? `${fields.table}: ` : prefix),
    }
  }

  draw(tables: readonly TableProgress[], nowMs: number, footer: string): void {
    if (!this.#isDrawn) return
    const seconds = Math.max(0.001, (nowMs - this.#lastMs) / 1000)
    const rows = tables.map(table => {
      const before = this.#lastRecords.get(table.name)
      const rate = before === undefined ? 0 : Math.max(0, (table.records - before) / seconds)
      return [
        table.name,
        formatCount(table.records),
        `${formatCount(Math.round(rate))}/s`,
        formatCount(table.rows),
        formatCount(table.publishedRows),
        formatCount(table.lag),
        table.version === undefined ? '-' : String(table.version),
        formatCount(table.deadLetters),
        table.reason === undefined ? table.state : `${table.state}: ${table.reason}`,
      ]
    })
    const headers = ['table', 'records in', 'rate', 'rows', 'published', 'lag', 'version', 'dead letters', 'state']
    const right = 'right' as const
    const [head = '', ...body] = formatTable(headers, rows, ['left', ...Array<'right'>(7).fill(right)]).split('\n')
    for (const table of tables) this.#lastRecords.set(table.name, table.records)
    this.#lastMs = nowMs
    // A line that wrapped would spoil the count of lines to go up.
    const width = (process.stdout.columns || 80) - 1
    const cut = (line: string): string => line.slice(0, width)
    const troubles = this.#troubles.map(line => pc.yellow(cut(line)))
    this.#replace([pc.bold(cut(head)), ...body.map(cut), ...troubles, pc.dim(cut(footer))])
  }

  #replace(lines: readonly string[]): void {
    const up = this.#lineCount === 0 ? '' : `\u001b[${this.#lineCount}A\u001b[0J`
    process.stdout.write(`${up}${lines.join('\n')}\n`)
    this.#lineCount = lines.length
  }
}
