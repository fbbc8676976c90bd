/** Packs the full blocks of a state's data files in the background, one after the other. What the state says is the same all along. */
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import type { CatalogState } from '../state/catalog-state.ts'
import type { Tables } from '../state/tables.ts'

const compress = promisify(zstdCompress)
/** Levels above save one byte in a hundred, and take half as long again. */
const level = 1

export class FilePacker {
  #running: Promise<void> | undefined

  /** To be told after blocks may have become full. */
  notice({ tables }: CatalogState): void {
    if (this.#running !== undefined || tables.unpackedBlocks.length === 0) return
    this.#running = this.#packAll(tables).finally(() => {
      this.#running = undefined
    })
  }

  /** Resolves when every block that was noticed is packed. */
  async settle(): Promise<void> {
    await this.#running
  }

  /** Never rejects. */
  async #packAll({ unpackedBlocks }: Tables): Promise<void> {
    for (;;) {
      const block = unpackedBlocks.shift()
      if (block === undefined) return
      try {
        const bytes = block.columns().toBytes()
        const frame = await compress(bytes, {
          chunkSize: Math.max(minimumChunkBytes, bytes.length),
          params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
        })
        block.becomePacked(new Uint8Array(frame), bytes.length)
      } catch {
        // Without memory to pack it in it stays as it is, which is as true.
      }
    }
  }
}

const minimumChunkBytes = 1024
