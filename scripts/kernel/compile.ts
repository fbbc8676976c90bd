/** Compiles the kernel's AssemblyScript (query/kernel/assembly) to WebAssembly. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'

const assembly = join(import.meta.dirname, '../../query/kernel/assembly')

/** The module as base64. errors  Error: the compiler's messages */
export async function compileKernel(): Promise<string> {
  let module: Buffer | undefined
  const { error, stderr } = await asc.main(
    // No runtime: it keeps no objects. No assertions: they would be the compiler's own, of which there are none.
    [
      'index.ts',
      '--optimizeLevel',
      '3',
      '--shrinkLevel',
      '0',
      '--runtime',
      'stub',
      '--enable',
      'simd',
      '--noAssert',
      '--outFile',
      'kernel.wasm',
    ],
    {
      readFile: name => readFile(join(assembly, name), 'utf8').catch(() => null),
      writeFile: (_name, contents) => {
        module = Buffer.from(contents)
      },
      listFiles: () => [],
    },
  )
  if (error !== null || module === undefined)
    throw new Error(`the kernel does not compile:\n${stderr.toString()}`, { cause: error })
  return module.toString('base64')
}

/** The source file that holds the module. */
export function kernelCodeSource(base64: string): string {
  return `/** Generated from assembly/ by \`npm run kernel\`; a test compiles it again and compares. */\nexport const kernelCode =\n  '${base64}'\n`
}
