import { defineConfig } from 'vitest/config'

/** Whole clusters in virtual time, from seeds. */
export default defineConfig({
  test: {
    include: ['test/simulation/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
  },
})
