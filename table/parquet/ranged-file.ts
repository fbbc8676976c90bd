/**
 * Opens a Parquet object of the store for reading by ranges, so that reading two columns costs two columns.
 *
 * parquet-wasm reads from a web Blob; this Blob holds no bytes and fetches the slices that are asked for.
 */
import { ParquetFile } from 'parquet-wasm'
import { FloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'

class RangedBlob extends Blob {
  readonly #read: (start: number, end: number) => Promise<Uint8Array>
  readonly #start: number
  readonly #end: number
  override readonly size: number

  constructor(read: (start: number, end: number) => Promise<Uint8Array>, start: number, end: number) {
    super([])
    this.#read = read
    this.#start = start
    this.#end = end
    this.size = end - start
  }

  override slice(start = 0, end = this.size): Blob {
    return new RangedBlob(this.#read, this.#start + start, Math.min(this.#start + end, this.#end))
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = await this.#read(this.#start, this.#end)
    return new Uint8Array(bytes).buffer
  }
}

/**
 * The file under `key`, `fileBytes` long. Free it when done.
 *
 * errors  corrupt: no such object, shorter than `fileBytes`, or not a Parquet file; what the store throws
 */
export async function openRangedParquet(store: ObjectStore, key: string, fileBytes: number): Promise<ParquetFile> {
  let storeError: unknown
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    try {
      const bytes = await store.get(key, { start, end })
      if (bytes === undefined) throw new FloeError('corrupt', 'object-missing', `${key} does not exist`, { key })
      if (bytes.length !== end - start) {
        throw new FloeError('corrupt', 'object-truncated', `${key} ends before byte ${end}`, { key })
      }
      return bytes
    } catch (error) {
      storeError = error
      throw error
    }
  }
  try {
    return await ParquetFile.fromFile(new RangedBlob(read, 0, fileBytes))
  } catch (error) {
    if (storeError !== undefined) throw storeError
    throw new FloeError('corrupt', 'parquet-unreadable', `${key} is not a readable Parquet file`, { key }, error)
  }
}
