/**
 * Append-only bytes in pages of 1 MiB: opaque pieces that are kept for good, addressed by a number. A piece lies inside one
 * page unless it is larger than a page; then it has pages of its own. Written bytes are never changed, so a catalog snapshot may
 * read them while more are appended.
 *
 *   address = page * 2^20 + offset, a whole number below 2^53
 */
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'

const pageBytes = 1 << 20

export class ByteArena {
  /** A large piece takes a page entry of its full size, followed by undefined for the pages it covers. */
  #pages: (Uint8Array | undefined)[] = []
  #used: number[] = []
  #open: Uint8Array = new Uint8Array(0)
  #openBase = 0
  #openUsed = 0

  /** Copies `bytes[start, end)`; returns the address. */
  append(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length > this.#open.length - this.#openUsed) {
      if (length > pageBytes) return this.#appendLarge(bytes, start, end)
      this.#startPage()
    }
    const at = this.#openUsed
    this.#open.set(bytes.subarray(start, end), at)
    this.#openUsed = at + length
    return this.#openBase + at
  }

  /** A view; not to be changed. */
  read(address: number, length: number): Uint8Array {
    const page = Math.floor(address / pageBytes)
    const offset = address - page * pageBytes
    return this.#pages[page]!.subarray(offset, offset + length)
  }

  get bytes(): number {
    let bytes = 0
    for (const page of this.#pages) bytes += page?.length ?? 0
    return bytes
  }

  #startPage(): void {
    this.#closePage()
    // Not zeroed: nobody reads, and no snapshot holds, what was not written.
    this.#open = new Uint8Array(Buffer.allocUnsafeSlow(pageBytes).buffer)
    this.#openBase = this.#pages.length * pageBytes
    this.#openUsed = 0
    this.#pages.push(this.#open)
    this.#used.push(0)
  }

  #closePage(): void {
    if (this.#open.length > 0) this.#used[this.#openBase / pageBytes] = this.#openUsed
  }

  #appendLarge(bytes: Uint8Array, start: number, end: number): number {
    const address = this.#pages.length * pageBytes
    const length = end - start
    this.#pages.push(new Uint8Array(bytes.subarray(start, end)))
    this.#used.push(length)
    for (let covered = pageBytes; covered < length; covered += pageBytes) {
      this.#pages.push(undefined)
      this.#used.push(0)
    }
    return address
  }

  encode(writer: SnapshotWriter): void {
    this.#closePage()
    const { scalars } = writer
    scalars.uvarint(this.#pages.length)
    scalars.uvarint(this.#open.length > 0 ? this.#openBase / pageBytes + 1 : 0)
    for (let index = 0; index < this.#pages.length; index++) {
      const page = this.#pages[index]
      if (page !== undefined) writer.bytesColumn(page.subarray(0, this.#used[index]!))
      else writer.bytesColumn(new Uint8Array(0))
    }
  }

  static decode(reader: SnapshotReader): ByteArena {
    const arena = new ByteArena()
    const pageCount = reader.count(1)
    const openPage = reader.uvarint()
    for (let index = 0; index < pageCount; index++) {
      const written = reader.bytesColumn()
      arena.#used.push(written.length)
      if (openPage === index + 1) {
        if (written.length > pageBytes) throw reader.corrupt('the open page of an arena is too long')
        const page = new Uint8Array(pageBytes)
        page.set(written)
        arena.#pages.push(page)
        arena.#open = page
        arena.#openBase = index * pageBytes
        arena.#openUsed = written.length
      } else arena.#pages.push(written.length > 0 ? written : undefined)
    }
    return arena
  }
}
