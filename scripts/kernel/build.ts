/** Writes query/kernel/kernel-code.ts: `npm run kernel`, after a change in query/kernel/assembly. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileKernel, kernelCodeSource } from './compile.ts'

await writeFile(join(import.meta.dirname, '../../query/kernel/kernel-code.ts'), kernelCodeSource(await compileKernel()))
