import { expect, test } from 'vitest'
import { kernelCode } from '../../../../query/kernel/kernel-code.ts'
import { compileKernel } from '../../../../scripts/kernel/compile.ts'

test('the kernel is what its source compiles to: else run npm run kernel', async () => {
  expect(await compileKernel()).toBe(kernelCode)
})
