import { defineConfig } from 'vitest/config'

/** Kill -9, lost answers, full disks: slower than the unit suite, without peers. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    fileParallelism: false,
  },
})
