/**
 * The byte stream of a catalog snapshot, captured in one synchronous step and written out later.
 *
 * Small values and short columns are copied. A long column is kept by reference and not copied, so capturing costs what
 * changes in place and not the whole state: whoever hands a long column over promises that these bytes are never rewritten,
 * only appended after (columns.ts grows into new arrays). That is the copy-on-write of this design without a copy.
 *
 *   column := byte length uvarint, the values as they lie in memory, little-endian
 *
 * Each part of the state writes a section that opens with its number and version. A new version comes with a format level
 * (format-level.ts) and is written from that level on, and the version before until then, since an older process of the cluster may have
 * to read it: `CatalogState.encode` knows the level and hands it to the section. A version that only says what commands of that level
 * brought about may go by what is there instead, as that of nodes.ts does.
 */
import { assert } from '../../core/assert.ts'
import { ByteWriter } from '../../core/byte-writer.ts'

/** From this size on a column is referenced instead of copied. */
export const referencedColumnBytesMin = 8 * 1024
/** What is copied becomes a piece at about this size: one buffer that grew would hold it all twice. */
const scalarsBytesMax = 1024 * 1024

export class SnapshotWriter {
  /** False: what is packed in memory is to be written unpacked. */
  readonly keepsPacked: boolean
  readonly #onPiece: ((piece: Uint8Array) => void) | undefined
  /** For small values; what is written here lies in order with the columns. */
  readonly scalars = new ByteWriter(64 * 1024)
  readonly #pieces: Uint8Array[] = []
  /** Bytes of pieces that are complete. */
  #pieceBytes = 0

  private constructor(keepsPacked: boolean, onPiece: ((piece: Uint8Array) => void) | undefined) {
    this.keepsPacked = keepsPacked
    this.#onPiece = onPiece
  }

  static forSnapshot(): SnapshotWriter {
    return new SnapshotWriter(true, undefined)
  }

  /** Hands out each piece as soon as it is complete, and keeps none. Equal states give equal bytes, whatever is packed of them. */
  static forComparison(onPiece: (piece: Uint8Array) => void): SnapshotWriter {
    return new SnapshotWriter(false, onPiece)
  }

  /** Never rewritten by the owner below its current length. */
  bytesColumn(values: Uint8Array): void {
    this.#column(values)
  }

  float64Column(values: Float64Array, start: number, end: number): void {
    this.#column(new Uint8Array(values.buffer, values.byteOffset + start * 8, (end - start) * 8))
  }

  uint32Column(values: Uint32Array, start: number, end: number): void {
    this.#column(new Uint8Array(values.buffer, values.byteOffset + start * 4, (end - start) * 4))
  }

  /** For columns whose rows are rewritten in place: always copied. */
  mutableFloat64Column(values: Float64Array, start: number, end: number): void {
    this.#copied(new Uint8Array(values.buffer, values.byteOffset + start * 8, (end - start) * 8))
  }

  mutableUint32Column(values: Uint32Array, start: number, end: number): void {
    this.#copied(new Uint8Array(values.buffer, values.byteOffset + start * 4, (end - start) * 4))
  }

  mutableBytesColumn(values: Uint8Array): void {
    this.#copied(values)
  }

  #copied(bytes: Uint8Array): void {
    this.scalars.uvarint(bytes.length)
    if (bytes.length < referencedColumnBytesMin) {
      this.scalars.raw(bytes)
      if (this.scalars.length >= scalarsBytesMax) this.#flushScalars()
      return
    }
    this.#flushScalars()
    this.#add(new Uint8Array(bytes))
  }

  #column(bytes: Uint8Array): void {
    if (bytes.length < referencedColumnBytesMin) {
      this.#copied(bytes)
      return
    }
    this.scalars.uvarint(bytes.length)
    this.#flushScalars()
    this.#add(bytes)
  }

  #flushScalars(): void {
    if (this.scalars.length === 0) return
    this.#add(this.scalars.take())
    this.scalars.reset()
  }

  #add(piece: Uint8Array): void {
    this.#pieceBytes += piece.length
    if (this.#onPiece === undefined) this.#pieces.push(piece)
    else this.#onPiece(piece)
  }

  /** The whole stream in order, and its length. */
  finish(): { readonly pieces: readonly Uint8Array[]; readonly bytes: number } {
    this.#flushScalars()
    return { pieces: this.#pieces, bytes: this.#pieceBytes }
  }
}

/** Cuts a stream into chunks of `chunkBytesMax` (the last may be shorter) without copying. */
export function cutChunks(pieces: readonly Uint8Array[], chunkBytesMax: number): Uint8Array[][] {
  assert(chunkBytesMax > 0, 'a chunk holds at least one byte')
  const chunks: Uint8Array[][] = []
  let chunk: Uint8Array[] = []
  let room = chunkBytesMax
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const taken = piece.subarray(at, at + room)
      chunk.push(taken)
      at += taken.length
      room -= taken.length
      if (room === 0) {
        chunks.push(chunk)
        chunk = []
        room = chunkBytesMax
      }
    }
  }
  if (chunk.length > 0) chunks.push(chunk)
  return chunks
}

/** Columns are stored as they lie in memory. */
export function assertLittleEndian(): void {
  assert(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, 'catalog snapshots need a little-endian machine')
}
