/**
 * Recovery: the newest snapshot, then the journal to its end, then, to lead, a seal. The protocol and why it is safe:
 * docs/design/0001-catalog-journal.md.
 */
import { FloeError } from '../../core/errors.ts'
import { checkJournalOf } from '../journal/journal-elsewhere.ts'
import { makeJournalReadsPersistent, makeReadsPersistent } from '../journal/persistent-reads.ts'
import { isBehindTrim } from '../snapshot/snapshot-store.ts'
import { checkNamesAreFree } from './check-store.ts'
import { createGenesis, type LoadParts, loadReplica } from './load-replica.ts'
import { readEntries, readOn } from './read-on.ts'
import type { Replica } from './replica.ts'
import { type LeadClaim, readOnAndTakeLead } from './take-lead.ts'

export interface RecoveryOptions extends LoadParts, LeadClaim {
  /** Fresh random 16 bytes: the cluster's id, should the catalog be new. */
  readonly newClusterId: Uint8Array
}

const restartsMax = 20

/**
 * A replica at the journal's end, in an epoch that the caller leads.
 *
 * errors  corrupt: an object of the catalog is damaged, the message names it; unavailable: the store does not answer, or what
 *         is there is not complete; unsupported: a newer Floe wrote it; fenced: others keep taking the lead
 */
export async function recover(given: RecoveryOptions): Promise<Replica> {
  const options = readPersistently(given)
  return untilNotTrimmed(options, async () => {
    const { writerId, newClusterId, appendTimeoutMs } = options
    const loaded =
      (await loadReplica(options)) ?? (await createGenesis(options, writerId, newClusterId, appendTimeoutMs))
    if (loaded === 'restart' || (await readOn(loaded, options)) === 'behind') return undefined
    if ((await checkNamesAreFree(loaded, options)) === 'behind') return undefined
    return (await readOnAndTakeLead(loaded, options)) === 'behind' ? undefined : { result: loaded }
  })
}

/**
 * A replica at the journal's end, without taking the lead: nothing is written, and a leader at work notices nothing.
 *
 * errors  invalid: the store holds no catalog, or the catalog goes on in another journal; otherwise those of recovery
 */
export async function replayOnly(given: LoadParts): Promise<Replica> {
  const replica = await replayAnywhere(given)
  if (replica === undefined) {
    throw new FloeError(
      'invalid',
      'catalog-missing',
      `${given.store.uri} holds no Floe catalog: nothing was ever served from it`,
    )
  }
  checkJournalOf(replica.position, given.journal)
  return replica
}

/** As replayOnly, also of a journal that the catalog has left or has not come to yet. Undefined: there is no catalog. */
export async function replayAnywhere(given: LoadParts): Promise<Replica | undefined> {
  const options = readPersistently(given)
  return untilNotTrimmed<Replica | undefined>(options, async () => {
    const loaded = await loadReplica(options)
    if (loaded === undefined) return { result: undefined }
    if (loaded === 'restart') return undefined
    if ((await readEntries(loaded, options)) === 'behind') return undefined
    return (await isBehindTrim(options.store, loaded.position.sequence)) ? undefined : { result: loaded }
  })
}

export function readPersistently<P extends LoadParts>(parts: P): P {
  const { journal, store, clock } = parts
  return {
    ...parts,
    journal: makeJournalReadsPersistent(journal, clock),
    store: makeReadsPersistent(store, clock),
  }
}

async function untilNotTrimmed<T>(
  { clock, log }: LoadParts,
  attempt: () => Promise<{ readonly result: T } | undefined>,
): Promise<T> {
  for (let count = 1; count <= restartsMax; count++) {
    const outcome = await attempt()
    if (outcome !== undefined) return outcome.result
    log.warn('catalog recovery starts again: the journal was trimmed underneath it', { attempt: count })
    await clock.sleep(Math.min(100 * count, 1000))
  }
  throw new FloeError(
    'unavailable',
    'catalog-recovery-raced',
    `the catalog's journal was trimmed during recovery ${restartsMax} times in a row: another live leader is very busy`,
  )
}
