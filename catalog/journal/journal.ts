/**
 * Where journal entries are kept. Each lies at (epoch, sequence) and is created once, by whoever comes first; what leadership,
 * fencing and recovery make of that: docs/design/0001-catalog-journal.md. Snapshots lie in the object store, whatever the journal.
 */
export interface Journal {
  /**
   * Creates an entry where there is none, atomically against every other writer, and durably.
   *
   * parts    its bytes, in order; not changed meanwhile. They hold their writer's id, so finding them there proves who wrote them
   * returns  applied: this call created it; refused: something lies there, and `read` tells what
   * errors   unavailable: it may or may not be there, now or later; asking again, or appending the same bytes again, tells.
   *          Others: as the place where it is kept has them
   */
  append(epoch: number, sequence: number, parts: readonly Uint8Array[]): Promise<'applied' | 'refused'>
  /** The entry's bytes, owned by the caller; undefined when nothing lies there. */
  read(epoch: number, sequence: number): Promise<Uint8Array | undefined>
  /** Removes the entries up to `sequence`, except genesis and the last one of each epoch, which is its seal. May be repeated. */
  trim(sequence: number): Promise<void>
}
