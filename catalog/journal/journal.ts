/**
 * Where journal entries are kept. Each lies at (epoch, sequence) and is created once, by whoever comes first; what leadership,
 * fencing and recovery make of that: docs/design/0001-catalog-journal.md. Snapshots lie in the object store, whatever the journal.
 */
export interface Journal {
  readonly identity: JournalIdentity
  /**
   * Creates an entry where there is none, atomically against every other writer, and durably.
   *
   * parts    its bytes, in order; not changed meanwhile. They hold their writer's id, so finding them there proves who wrote them
   * returns  applied: this call created it; refused: something lies there, and `read` tells what; closed: nothing lies there, but
   *          a later epoch has begun, as only a journal that sees all of itself at once can tell
   * errors   unavailable: it may or may not be there, now or later; asking again, or appending the same bytes again, tells.
   *          Others: as the place where it is kept has them
   */
  append(epoch: number, sequence: number, parts: readonly Uint8Array[]): Promise<'applied' | 'refused' | 'closed'>
  /** The entry's bytes, owned by the caller; undefined when nothing lies there. */
  read(epoch: number, sequence: number): Promise<Uint8Array | undefined>
  /** Removes the entries up to `sequence`, except genesis and the last one of each epoch, which is its seal. May be repeated. */
  trim(sequence: number): Promise<void>
}

/** Which journal it is. A catalog says in its journal where it goes on, so that nobody takes an abandoned one for it. */
export interface JournalIdentity {
  /** 16 bytes, made when the journal was; zeros for the one in the catalog's own object store. */
  readonly id: Uint8Array
  /** For messages; holds no secret. */
  readonly name: string
}

export const journalInStore: JournalIdentity = { id: new Uint8Array(16), name: 'the object store' }
