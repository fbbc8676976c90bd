/**
 * Data files as snapshots had them before blocks (versions 1 and 2 of the tables section): per table its rows in columns, and at the
 * end of the section the details of all tables in pages of 1 MiB, to which a row refers by `page * 2^20 + offset`.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { FileBlock } from './file-block.ts'
import { TableFiles } from './table-files.ts'

const pageBytes = 1 << 20

/** A piece larger than a page has a page entry of its full size; those that it covers are empty. */
export function decodeDetailPages(reader: SnapshotReader): readonly Uint8Array[] {
  const count = reader.count(1)
  // Which page was being filled.
  reader.uvarint()
  const pages: Uint8Array[] = []
  for (let index = 0; index < count; index++) pages.push(reader.bytesColumn())
  return pages
}

export class UnblockedFiles {
  readonly #reader: SnapshotReader
  readonly #length: number
  readonly #grantIds: Float64Array
  readonly #nameIndexes: Uint32Array
  readonly #recordCounts: Float64Array
  readonly #fileBytes: Float64Array
  readonly #fileSequences: Float64Array
  readonly #addresses: Float64Array
  readonly #detailBytes: Uint32Array

  constructor(reader: SnapshotReader) {
    const length = reader.count(48)
    this.#reader = reader
    this.#length = length
    this.#grantIds = reader.float64Column(length)
    this.#nameIndexes = reader.uint32Column(length)
    this.#recordCounts = reader.float64Column(length)
    this.#fileBytes = reader.float64Column(length)
    this.#fileSequences = reader.float64Column(length)
    this.#addresses = reader.float64Column(length)
    this.#detailBytes = reader.uint32Column(length)
  }

  /** errors  corrupt: a row refers to details that are not there */
  toBlocks(pages: readonly Uint8Array[], onUnpacked: (block: FileBlock) => void): TableFiles {
    const files = new TableFiles()
    for (let row = 0; row < this.#length; row++) {
      const page = pages[Math.floor(this.#addresses[row]! / pageBytes)]
      const start = this.#addresses[row]! % pageBytes
      const end = start + this.#detailBytes[row]!
      if (page === undefined || !(end <= page.length)) throw this.#reader.corrupt('details of a data file are missing')
      const full = files.add(
        this.#grantIds[row]!,
        this.#nameIndexes[row]!,
        this.#recordCounts[row]!,
        this.#fileBytes[row]!,
        this.#fileSequences[row]!,
        page,
        start,
        end,
      )
      if (full !== undefined) onUnpacked(full)
    }
    return files
  }
}
