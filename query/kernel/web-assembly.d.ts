/** What the kernel uses of the WebAssembly API, which the types of Node.js leave to those of browsers. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module)
    readonly exports: unknown
  }
  interface Memory {
    readonly buffer: ArrayBuffer
    /** By pages of 64 KiB. errors  RangeError: the host has no more memory */
    grow(pages: number): number
  }
}
