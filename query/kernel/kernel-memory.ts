import { FloeError } from '../../core/errors.ts'

/** One or more values of a block are this large. What a block of ordinary ones takes is a hundredth. */
const kernelMemoryBytesMax = 1 << 30
const pageBytes = 1 << 16
/** The kernel reads as much behind the end of what it looks at. */
export const overreadBytes = 16

/** A kernel's memory: what stays is allocated from its beginning, what comes and goes lies behind. It only grows. */
export class KernelMemory {
  readonly #memory: WebAssembly.Memory
  #allocatedTo: number
  /** All of it; another array whenever it grew. */
  bytes: Uint8Array<ArrayBuffer>

  /** `freeAt` is above 0: address 0 is nothing. */
  constructor(memory: WebAssembly.Memory, freeAt: number) {
    this.#memory = memory
    this.#allocatedTo = freeAt
    this.bytes = new Uint8Array(memory.buffer)
  }

  /** Zeros, at a multiple of 16. */
  allocate(byteCount: number): number {
    const at = align(this.#allocatedTo)
    this.#allocatedTo = at + byteCount
    this.reserve(this.#allocatedTo)
    return at
  }

  /** A copy that stays. */
  place(source: Uint8Array): number {
    const at = this.allocate(source.length + overreadBytes)
    this.bytes.set(source, at)
    return at
  }

  /** Room up to `end`. errors  exhausted: more than a kernel may have */
  reserve(end: number): void {
    const { length } = this.bytes
    if (end <= length) return
    if (end > kernelMemoryBytesMax) {
      throw new FloeError(
        'exhausted',
        'query-block-too-large',
        `a block of records needs ${end} bytes of memory, ${kernelMemoryBytesMax} are the most`,
      )
    }
    // By half more at least: whoever has a view must take another one each time.
    const wanted = Math.min(kernelMemoryBytesMax, Math.max(end, length * 1.5))
    this.#memory.grow(Math.ceil((wanted - length) / pageBytes))
    this.bytes = new Uint8Array(this.#memory.buffer)
  }
}

export function align(at: number): number {
  return (at + 15) & ~15
}
