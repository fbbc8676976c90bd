import { defineConfig } from 'vitest/config'

/** Other engines read what Floe wrote, on a local directory and on S3: minutes, and gigabytes of memory. */
export default defineConfig({
  test: {
    include: ['test/readers/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 1_200_000,
    pool: 'forks',
    fileParallelism: false,
  },
})
