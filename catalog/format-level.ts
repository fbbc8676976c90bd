/**
 * Format levels: what may be written into the journal and into snapshots while processes of several versions share a catalog. A level
 * is a whole number that counts from 1; whoever knows a level knows those below it.
 *
 *   level  came with      what it brought
 *       1  the first Floe everything up to now
 *
 * A command of a newer level, or a newer version of a snapshot section, is written only once the catalog has been raised to that level,
 * by a command of its own (commands/raise-format-level.ts), which every registered process must know the level for. The level never goes
 * back. Why that is enough: docs/design/0003-many-processes.md.
 *
 * What comes next gets the next level: a line above, `formatLevelMax`, `formatLevel` of the command (commands/command.ts), and a section
 * version that is written from that level on (snapshot/snapshot-writer.ts).
 */
import { FloeError } from '../core/errors.ts'

/** The newest level that this Floe knows. */
export const formatLevelMax = 1

/** The level of every catalog until it is raised, and what processes know that do not say. Persisted by being left out. */
export const firstFormatLevel = 1

/** errors  unsupported: the catalog is beyond what this process knows */
export function checkFormatLevel(formatLevel: number, formatLevelMax: number): void {
  if (formatLevel <= formatLevelMax) return
  throw new FloeError(
    'unsupported',
    'floe-too-old',
    `the catalog is at format level ${formatLevel}, and this Floe knows levels up to ${formatLevelMax}: start the version that the ` +
      'other processes run, or a newer one. Nothing is lost',
    { formatLevel, formatLevelMax },
  )
}
