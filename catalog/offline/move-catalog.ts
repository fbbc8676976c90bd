/**
 * Moves a catalog from one journal to another, while nobody serves it.
 *
 *   copy entries ─▶ read them back, compare states ─▶ close the old journal with a move entry ─▶ the same entry into the new one
 *
 * The move entry in the old journal decides: before it the catalog goes on there, whatever was copied; from it on nobody can write
 * there any more, and whoever reads it learns the name of the new journal. The new one cannot be led before it holds that entry too,
 * which comes last. So a move may die anywhere and be run again.
 *
 * What is copied: genesis, and the entries since the older of the two snapshots that recovery relies on, or all without snapshots.
 * Snapshots stay where they are.
 */
import { FloeError } from '../../core/errors.ts'
import { appendEntry } from '../journal/append-entry.ts'
import type { Journal } from '../journal/journal.ts'
import { checkJournalOf, isJournalOf } from '../journal/journal-elsewhere.ts'
import { encodeEntry, encodeMoveBody, entryKinds } from '../journal/journal-entry.ts'
import { journalKey } from '../journal/journal-keys.ts'
import { type LoadParts, readGenesis } from '../replica/load-replica.ts'
import { readEntries } from '../replica/read-on.ts'
import { readPersistently, replayAnywhere } from '../replica/recover.ts'
import { Replica } from '../replica/replica.ts'
import { readOnAndTakeLead } from '../replica/take-lead.ts'
import { isBehindTrim, listSnapshots, readSnapshot, snapshotsKept } from '../snapshot/snapshot-store.ts'

export interface MoveParts extends Omit<LoadParts, 'journal'> {
  readonly from: Journal
  readonly to: Journal
  /** Fresh random 16 bytes. */
  readonly writerId: Uint8Array
  /** Processes that are still registered lose the lead, instead of stopping the move. */
  readonly mayFence: boolean
  readonly appendTimeoutMs: number
}

export interface CatalogMove {
  /** not-needed: the catalog was in the new journal already. */
  readonly outcome: 'moved' | 'not-needed'
  readonly clusterId: Uint8Array
  /** Of the last entry. */
  readonly sequence: number
  readonly entriesCopied: number
  readonly stateHash: string
}

/**
 * errors  invalid: the catalog is in neither journal, there is none, or the new journal belongs to another one; conflict
 *         `catalog-in-use`: processes are registered, or one wrote meanwhile; corrupt: an entry is damaged, or what was read back
 *         differs; unavailable: run it again
 */
export async function moveCatalog(given: MoveParts): Promise<CatalogMove> {
  const source = readPersistently({ ...given, journal: given.from })
  const target = readPersistently({ ...given, journal: given.to })
  const there = await replayAnywhere(target)
  if (there !== undefined && isJournalOf(there.position, target.journal)) return describeMove('not-needed', there, 0)

  const replica = await replayAnywhere(source)
  if (replica === undefined) {
    throw new FloeError(
      'invalid',
      'catalog-missing',
      `${given.store.uri} holds no Floe catalog: there is nothing to move`,
    )
  }
  const isClosed = isJournalOf(replica.position, target.journal)
  if (!isClosed) {
    checkJournalOf(replica.position, source.journal)
    await stopOthers(replica, given, source)
  }
  // The move entry of an earlier run comes last, after everything else was read back.
  const last = isClosed ? replica.position.sequence - 1 : replica.position.sequence
  const { copied, entriesCopied } = await copyEntries(source, target, last, given.appendTimeoutMs)
  await checkCopy(target, copied)
  if (!isClosed) await closeSource(copied, given, source)
  const { epoch } = copied.position
  await copyEntry(source.journal, target, epoch, last + 1, given.appendTimeoutMs)

  const moved = await replayAnywhere(target)
  const hash = replica.state.hash()
  if (moved === undefined || !isJournalOf(moved.position, target.journal) || moved.state.hash() !== hash) {
    throw differs(target.journal)
  }
  return describeMove('moved', moved, entriesCopied)
}

function describeMove(
  outcome: CatalogMove['outcome'],
  { state, position }: Replica,
  entriesCopied: number,
): CatalogMove {
  const { clusterId } = state
  return { outcome, clusterId, sequence: position.sequence, entriesCopied, stateHash: state.hash() }
}

async function stopOthers(replica: Replica, { writerId, mayFence, appendTimeoutMs }: MoveParts, source: LoadParts) {
  const nodes = replica.state.nodes.all()
  if (nodes.length === 0) return
  if (!mayFence) {
    const names = nodes
      .map(({ nodeId, kafkaHost, kafkaPort }) => `node ${nodeId} (${kafkaHost}:${kafkaPort})`)
      .join(', ')
    throw new FloeError(
      'conflict',
      'catalog-in-use',
      `the catalog is served by ${names}: stop it first. If it was killed and is gone, say --fence: should it live, it ` +
        'stops with a message and loses nothing that was acknowledged',
    )
  }
  const outcome = await readOnAndTakeLead(replica, { ...source, writerId, address: '', appendTimeoutMs })
  if (outcome === 'behind') throw inUse()
}

/** The replica that copying starts with. */
async function loadBase(parts: LoadParts): Promise<Replica> {
  const folders = (await listSnapshots(parts.store)).filter(folder => folder.hasManifest)
  const oldest = folders.at(-snapshotsKept)
  if (oldest !== undefined) {
    const snapshot = await readSnapshot(parts.store, oldest)
    if (snapshot === undefined) throw inUse()
    return new Replica(snapshot.state, snapshot.position)
  }
  const genesis = await readGenesis(parts)
  if (!(genesis instanceof Replica)) throw inUse()
  return genesis
}

async function copyEntries(source: LoadParts, target: LoadParts, lastSequence: number, appendTimeoutMs: number) {
  const copied = await loadBase(source)
  await copyEntry(source.journal, target, 1, 1, appendTimeoutMs)
  let entriesCopied = 1
  while (copied.position.sequence < lastSequence) {
    const { epoch, sequence } = copied.position
    const bytes = await copyEntry(source.journal, target, epoch, sequence + 1, appendTimeoutMs)
    copied.applyBytes(bytes, journalKey(epoch, sequence + 1))
    entriesCopied++
  }
  return { copied, entriesCopied }
}

/** In the order of the journal: a later epoch closes the ones before it. */
async function copyEntry(
  from: Journal,
  target: LoadParts,
  epoch: number,
  sequence: number,
  appendTimeoutMs: number,
): Promise<Uint8Array> {
  const bytes = await from.read(epoch, sequence)
  if (bytes === undefined) throw inUse()
  const outcome = await appendEntry(target, epoch, sequence, [bytes], appendTimeoutMs)
  if (outcome === 'applied') return bytes
  throw new FloeError(
    'invalid',
    'journal-of-another-catalog',
    `${target.journal.identity.name} does not take ${journalKey(epoch, sequence)}: it holds another journal. Name an empty table`,
  )
}

/** Reads back what was copied, from the journal alone, and compares the states that it leads to. */
async function checkCopy(target: LoadParts, { position, state }: Replica): Promise<void> {
  const read = await loadBase(target)
  await readEntries(read, target, position.sequence)
  const isSame = read.position.sequence === position.sequence && read.position.crc === position.crc
  if (!isSame || read.state.hash() !== state.hash()) throw differs(target.journal)
}

async function closeSource(replica: Replica, { writerId, to, appendTimeoutMs }: MoveParts, source: LoadParts) {
  const { store, clock } = source
  const { epoch, sequence, crc } = replica.position
  const nowMs = Math.max(replica.state.nowMs, Math.floor(clock.nowMs()))
  const header = { kind: entryKinds.move, epoch, sequence: sequence + 1, writerId, nowMs, previousCrc: crc }
  const { parts } = encodeEntry(header, [], 0, encodeMoveBody(epoch + 1, to.identity))
  if ((await appendEntry(source, epoch, sequence + 1, parts, appendTimeoutMs)) !== 'applied') throw inUse()
  // As of a seal: it means nothing where entries were trimmed.
  if (await isBehindTrim(store, sequence)) throw inUse()
}

function inUse(): FloeError {
  return new FloeError(
    'conflict',
    'catalog-in-use',
    'a process wrote to the catalog while it was being moved, and it stays where it was: stop every process, then run it again',
  )
}

function differs({ identity }: Journal): FloeError {
  return new FloeError(
    'corrupt',
    'catalog-copy-differs',
    `what ${identity.name} gives back is not what was written into it: the catalog was not moved. Look at the server, then run it again`,
  )
}
