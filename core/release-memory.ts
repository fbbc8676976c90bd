/**
 * Gives the memory of large buffers back at once. Buffers live outside the JavaScript heap: left to the collector, a loop that
 * makes a hundred kilobytes per turn starts a full collection every few dozen turns and meets fresh, unmapped pages each time.
 */

/**
 * Frees `bytes` and every other view of the same memory: they are empty afterwards. Only for memory that the caller made and
 * nobody else looks at. Memory that `bytes` covers in part (a pool, a larger message) is left alone.
 */
export function releaseMemory(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes
  if (buffer instanceof ArrayBuffer && byteLength * 2 >= buffer.byteLength && byteLength >= releaseBytesMin) {
    buffer.transfer(0)
  }
}

/** Below this the collector's way costs less than the call. */
const releaseBytesMin = 16 * 1024
