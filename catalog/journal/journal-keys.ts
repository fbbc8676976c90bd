/**
 * Keys of the catalog's objects.
 *
 *   catalog/journal/<epoch, 10 digits>/<sequence, 20 digits>
 *   catalog/snapshots/<sequence, 20 digits>-<epoch, 10 digits>/manifest | chunk-<n, 6 digits>
 *   catalog/trimmed     there once anything of the journal was ever removed
 */
import type { JournalPosition } from './journal-entry.ts'

export const trimmedKey = 'catalog/trimmed'
export const catalogPrefix = 'catalog/'
export const journalPrefix = 'catalog/journal/'
export const snapshotsPrefix = 'catalog/snapshots/'

export function journalKey(epoch: number, sequence: number): string {
  return `${journalPrefix}${epochText(epoch)}/${sequenceText(sequence)}`
}

/** undefined for a key that is none of ours. */
export function parseJournalKey(key: string): { readonly epoch: number; readonly sequence: number } | undefined {
  const match = journalKeyPattern.exec(key)
  return match === null ? undefined : { epoch: Number(match[1]), sequence: Number(match[2]) }
}

const journalKeyPattern = /^catalog\/journal\/(\d{10})\/(\d{20})$/

export function snapshotPrefix({ sequence, epoch }: Pick<JournalPosition, 'sequence' | 'epoch'>): string {
  return `${snapshotsPrefix}${sequenceText(sequence)}-${epochText(epoch)}/`
}

export function manifestKey(prefix: string): string {
  return `${prefix}manifest`
}

export function chunkKey(prefix: string, index: number): string {
  return `${prefix}chunk-${String(index).padStart(6, '0')}`
}

/** The folder of a snapshot's object, or undefined for a key that is none of ours. */
export function parseSnapshotKey(
  key: string,
): { readonly prefix: string; readonly sequence: number; readonly epoch: number; readonly name: string } | undefined {
  const match = snapshotKeyPattern.exec(key)
  if (match === null) return undefined
  const [, sequence, epoch, name] = match
  return {
    prefix: key.slice(0, key.length - name!.length),
    sequence: Number(sequence),
    epoch: Number(epoch),
    name: name!,
  }
}

const snapshotKeyPattern = /^catalog\/snapshots\/(\d{20})-(\d{10})\/(manifest|chunk-\d{6})$/

function epochText(epoch: number): string {
  return String(epoch).padStart(10, '0')
}

function sequenceText(sequence: number): string {
  return String(sequence).padStart(20, '0')
}
