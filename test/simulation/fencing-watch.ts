/**
 * Looks at what fenced a leader of the catalog, each time that one says so: it must be the seal of another one, never an entry of an
 * epoch that was its own.
 */
import { decodeEntry, entryKinds } from '../../catalog/journal/journal-entry.ts'
import { parseJournalKey } from '../../catalog/journal/journal-keys.ts'
import type { ErrorContext } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'

/** What lies in the journal, whatever fails. */
export type ReadEntry = (epoch: number, sequence: number) => Promise<Uint8Array | undefined>

export class FencingWatch {
  readonly #readEntry: ReadEntry
  readonly #violations: string[]

  constructor(readEntry: ReadEntry, violations: string[]) {
    this.#readEntry = readEntry
    this.#violations = violations
  }

  /** A log of the process `name` that is listened to. */
  listen(log: Log, name: string): Log {
    return {
      ...log,
      warn: (message: string, fields?: ErrorContext) => {
        log.warn(message, fields)
        const key = /catalog\/journal\/[\d/]+/.exec(String(fields?.problem))?.[0]
        if (fields?.code === 'catalog-fenced' && key !== undefined) void this.#look(name, key)
      },
      with: fields => this.listen(log.with(fields), name),
    }
  }

  async #look(name: string, key: string): Promise<void> {
    const { epoch, sequence } = parseJournalKey(key)!
    const bytes = await this.#readEntry(epoch, sequence)
    // Trimmed since.
    if (bytes === undefined || decodeEntry(bytes, key).kind === entryKinds.seal) return
    this.#violations.push(`${name} says that ${key} fenced it, which is no seal`)
  }
}
