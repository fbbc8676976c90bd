/**
 * Takes the lead: seals the present epoch at its next sequence, which makes the caller the one writer of the next epoch. Why that
 * fences every earlier leader for ever: docs/design/0001-catalog-journal.md.
 */
import { type AppendParts, appendEntry } from '../journal/append-entry.ts'
import { checkJournalOf } from '../journal/journal-elsewhere.ts'
import { encodeEntry, encodeSealBody, entryKinds } from '../journal/journal-entry.ts'
import { journalKey } from '../journal/journal-keys.ts'
import { isBehindTrim } from '../snapshot/snapshot-store.ts'
import { checkFooting } from './check-footing.ts'
import { type ReadOnParts, readOn } from './read-on.ts'
import type { Replica } from './replica.ts'

export interface LeadClaim extends ReadOnParts, AppendParts {
  /** Fresh random 16 bytes: the writer of the next epoch. */
  readonly writerId: Uint8Array
  /** Where that writer takes connections; empty when it takes none. */
  readonly address: string
  readonly appendTimeoutMs: number
}

/**
 * returns  'sealed': the caller leads from the replica's position on; 'read on': somebody else's entry came first and lies in
 *          the journal; 'behind': the entries in between were trimmed, and the seal, if one was made, means nothing: the replica must
 *          start from a snapshot before it reads on, or it would take that seal for one
 * errors   unavailable: whether the seal exists is not known; corrupt: see check-footing.ts, too; invalid: the catalog goes on in
 *          another journal
 */
export async function takeLead(replica: Replica, claim: LeadClaim): Promise<'sealed' | 'read on' | 'behind'> {
  const { journal, store, clock, writerId, address, appendTimeoutMs } = claim
  checkJournalOf(replica.position, journal)
  await checkFooting(replica, claim)
  const { epoch, sequence, crc } = replica.position
  const nowMs = Math.max(replica.state.nowMs, Math.floor(clock.nowMs()))
  const header = { kind: entryKinds.seal, epoch, sequence: sequence + 1, writerId, nowMs, previousCrc: crc }
  const { parts } = encodeEntry(header, [], 0, encodeSealBody(epoch + 1, writerId, address))
  const outcome = await appendEntry(claim, epoch, sequence + 1, parts, appendTimeoutMs)
  if (outcome === 'closed') return 'behind'
  if (outcome !== 'applied') return 'read on'
  // Nothing lay there, which proves that the epoch was open only if no entry was trimmed there.
  if (await isBehindTrim(store, sequence)) return 'behind'
  replica.applyBytes(Buffer.concat(parts), journalKey(epoch, sequence + 1))
  return 'sealed'
}

/** Reads to the end of the journal and takes the lead there, however often others come first. errors  as takeLead, readOn */
export async function readOnAndTakeLead(replica: Replica, claim: LeadClaim): Promise<'sealed' | 'behind'> {
  for (;;) {
    if ((await readOn(replica, claim)) === 'behind') return 'behind'
    const outcome = await takeLead(replica, claim)
    if (outcome !== 'read on') return outcome
  }
}
