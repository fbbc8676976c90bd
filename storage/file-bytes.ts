/** Whole reads and writes on a file: the system may do less than it was asked for in one call, so these go on until done. */
import type { FileHandle } from 'node:fs/promises'
import type { ObjectBody } from './object-store.ts'

export function chunksOf(body: ObjectBody): readonly Uint8Array[] {
  return body instanceof Uint8Array ? [body] : body
}

/**
 * Closes a file that nobody waits for: what was to be durable is, by a sync or a synchronous write, so closing can neither
 * lose nor save anything.
 */
export function closeLater(file: FileHandle): void {
  file.close().catch(() => {})
}

/** The bytes of the file inside [start, start + length), in memory that nobody else uses. */
export async function readBytes(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, start + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  // A plain Uint8Array, because `slice` of a Buffer does not copy.
  const bytes = new Uint8Array(buffer.buffer, 0, filled)
  return filled < length / 2 ? bytes.slice() : bytes
}

/** Writes all the chunks one after the other from `position` on. */
export async function writeChunks(file: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
  let rest = chunks.filter(chunk => chunk.length > 0)
  let at = position
  while (rest.length > 0) {
    const some = rest.slice(0, writeChunkCountMax)
    const { bytesWritten } = await file.writev(some, at)
    at += bytesWritten
    rest = skipBytes(rest, bytesWritten)
  }
}

/** IOV_MAX on Linux and macOS. */
const writeChunkCountMax = 1024

function skipBytes(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes
  let index = 0
  while (index < chunks.length && left >= chunks[index]!.length) left -= chunks[index++]!.length
  const rest = chunks.slice(index)
  if (left > 0) rest[0] = rest[0]!.subarray(left)
  return rest
}
