/**
 * Versions of one table: the pending one, and the last 10,000 that were published. The snapshot id is not kept: it follows from
 * the table's uuid and the version (snapshot-id.ts).
 */
import { publishedVersionsKept } from '../limits.ts'
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'

export interface PendingState {
  readonly version: number
  readonly timestampMs: number
  readonly fileSequenceAfter: number
  readonly fileSequenceUpTo: number
  /** Rows of the table when everything up to fileSequenceUpTo is in it. */
  readonly rowCount: number
  readonly partitions: Uint32Array
  readonly starts: Float64Array
  readonly ends: Float64Array
}

export interface PublishedState {
  readonly version: number
  readonly timestampMs: number
  readonly fileSequence: number
  readonly rowCount: number
  readonly icebergMetadataPath: string
  readonly completedMs: number
}

export class TableVersions {
  pending: PendingState | undefined
  #published: PublishedState[] = []
  /** Published versions before it were forgotten. */
  #head = 0

  get last(): PublishedState | undefined {
    return this.#published.at(-1)
  }

  published(): readonly PublishedState[] {
    return this.#published.slice(this.#head)
  }

  find(version: number): PublishedState | undefined {
    const first = this.#published[this.#head]
    if (first === undefined || version < first.version) return undefined
    return this.#published[this.#head + version - first.version]
  }

  add(published: PublishedState): void {
    this.#published.push(published)
    if (this.#published.length - this.#head > publishedVersionsKept) this.#head++
    if (this.#head >= publishedVersionsKept) {
      this.#published = this.#published.slice(this.#head)
      this.#head = 0
    }
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uint8(this.pending === undefined ? 0 : 1)
    if (this.pending !== undefined) {
      const { pending } = this
      scalars.uvarint(pending.version)
      scalars.uvarint(pending.timestampMs)
      scalars.uvarint(pending.fileSequenceAfter)
      scalars.uvarint(pending.fileSequenceUpTo)
      scalars.uvarint(pending.rowCount)
      scalars.uvarint(pending.partitions.length)
      writer.uint32Column(pending.partitions, 0, pending.partitions.length)
      writer.float64Column(pending.starts, 0, pending.starts.length)
      writer.float64Column(pending.ends, 0, pending.ends.length)
    }
    scalars.uvarint(this.#published.length - this.#head)
    for (let index = this.#head; index < this.#published.length; index++) {
      const published = this.#published[index]!
      scalars.uvarint(published.version)
      scalars.uvarint(published.timestampMs)
      scalars.uvarint(published.fileSequence)
      scalars.uvarint(published.rowCount)
      scalars.sizedString(published.icebergMetadataPath)
      scalars.uvarint(published.completedMs)
    }
  }

  static decode(reader: SnapshotReader): TableVersions {
    const versions = new TableVersions()
    if (reader.bool()) {
      const version = reader.uvarint()
      const timestampMs = reader.uvarint()
      const fileSequenceAfter = reader.uvarint()
      const fileSequenceUpTo = reader.uvarint()
      const rowCount = reader.uvarint()
      const length = reader.count(20)
      const partitions = reader.uint32Column(length)
      const starts = reader.float64Column(length)
      const ends = reader.float64Column(length)
      versions.pending = {
        version,
        timestampMs,
        fileSequenceAfter,
        fileSequenceUpTo,
        rowCount,
        partitions,
        starts,
        ends,
      }
    }
    const count = reader.count(6)
    for (let index = 0; index < count; index++) {
      const version = reader.uvarint()
      const timestampMs = reader.uvarint()
      const fileSequence = reader.uvarint()
      const rowCount = reader.uvarint()
      const icebergMetadataPath = reader.sizedString()
      versions.#published.push({
        version,
        timestampMs,
        fileSequence,
        rowCount,
        icebergMetadataPath,
        completedMs: reader.uvarint(),
      })
    }
    return versions
  }
}
