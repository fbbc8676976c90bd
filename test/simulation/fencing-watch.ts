/**
 * Looks at what fenced a leader of the catalog, each time that one says so: it must be the seal of another one, never an entry of an
 * epoch that was its own.
 */
import { decodeEntry, entryKinds } from '../../catalog/journal/journal-entry.ts'
import type { ErrorContext } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { ObjectStore } from '../../storage/object-store.ts'

export class FencingWatch {
  /** Without its faults. */
  readonly #store: ObjectStore
  readonly #violations: string[]

  constructor(store: ObjectStore, violations: string[]) {
    this.#store = store
    this.#violations = violations
  }

  /** A log of the process `name` that is listened to. */
  listen(log: Log, name: string): Log {
    return {
      ...log,
      warn: (message: string, fields?: ErrorContext) => {
        log.warn(message, fields)
        const key = /catalog\/journal\/\S+/.exec(String(fields?.problem))?.[0]
        if (fields?.code === 'catalog-fenced' && key !== undefined) void this.#look(name, key)
      },
      with: fields => this.listen(log.with(fields), name),
    }
  }

  async #look(name: string, key: string): Promise<void> {
    const bytes = await this.#store.get(key)
    // Trimmed since.
    if (bytes === undefined || decodeEntry(bytes, key).kind === entryKinds.seal) return
    this.#violations.push(`${name} says that ${key} fenced it, which is no seal`)
  }
}
