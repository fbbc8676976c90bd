/**
 * Data files of one table in commit order, so by ascending file sequence: full blocks, which never change, and the columns that the
 * next rows are added to.
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { findFirstGreater } from './columns.ts'
import { blockDetailBytesMax, blockRowsMax, FileBlock } from './file-block.ts'
import { FileColumns } from './file-columns.ts'

/** Rows [from, to) of some columns. */
export interface FileStretch {
  readonly columns: FileColumns
  readonly from: number
  readonly to: number
}

export class TableFiles {
  #blocks: FileBlock[] = []
  #open = new FileColumns()
  /** Rows in blocks. */
  #blockedRows = 0

  get length(): number {
    return this.#blockedRows + this.#open.length
  }

  /** Copies the details, `bytes[start, end)`. Returns the block that became full by it. */
  add(
    grantId: number,
    nameIndex: number,
    recordCount: number,
    fileBytes: number,
    fileSequence: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): FileBlock | undefined {
    const open = this.#open
    open.add(grantId, nameIndex, recordCount, fileBytes, fileSequence, bytes, start, end)
    if (open.length < blockRowsMax && open.detailBytes < blockDetailBytesMax) return undefined
    const block = FileBlock.of(this.#blockedRows, open)
    this.#blocks.push(block)
    this.#blockedRows += open.length
    // A table that filled one block is likely to fill the next, but nobody knows when.
    this.#open = FileColumns.withRoom(open.length >> 2, open.detailBytes >> 2)
    return block
  }

  /** The first row whose file sequence is greater than `sequence`; `length` when none is. */
  findFirstAfter(sequence: number): number {
    const block = this.#blocks[this.#findBlock(candidate => candidate.lastSequence > sequence)]
    if (block === undefined) {
      const { fileSequences, length } = this.#open
      return this.#blockedRows + findFirstGreater(fileSequences, 0, length, sequence)
    }
    if (block.firstSequence > sequence) return block.firstRow
    return block.firstRow + findFirstGreater(block.columns().fileSequences, 0, block.length, sequence)
  }

  /** Rows [from, to), stretch by stretch; packed blocks are unpacked one at a time. errors  corrupt */
  *stretches(from: number, to: number): Generator<FileStretch> {
    let row = from
    let index = this.#findBlock(block => block.firstRow + block.length > row)
    for (; row < to && index < this.#blocks.length; index++) {
      const { firstRow, length } = this.#blocks[index]!
      const end = Math.min(to, firstRow + length)
      yield { columns: this.#blocks[index]!.columns(), from: row - firstRow, to: end - firstRow }
      row = end
    }
    if (row < to) yield { columns: this.#open, from: row - this.#blockedRows, to: to - this.#blockedRows }
  }

  /** Index of the first block of which `isBeyond`, which is true of all that come after it; the number of blocks when none is. */
  #findBlock(isBeyond: (block: FileBlock) => boolean): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBeyond(this.#blocks[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }

  encode(writer: SnapshotWriter): void {
    writer.scalars.uvarint(this.#blocks.length)
    for (const block of this.#blocks) block.encode(writer)
    this.#open.encode(writer)
  }

  /** `onUnpacked` is told of blocks that came unpacked. */
  static decode(reader: SnapshotReader, onUnpacked: (block: FileBlock) => void): TableFiles {
    const files = new TableFiles()
    const blockCount = reader.count(2)
    for (let index = 0; index < blockCount; index++) {
      const block = FileBlock.decode(reader, files.#blockedRows)
      files.#blocks.push(block)
      files.#blockedRows += block.length
      if (!block.isPacked) onUnpacked(block)
    }
    files.#open = FileColumns.decode(reader)
    return files
  }
}
