import { defineConfig } from 'vitest/config'

/** Kill -9, lost answers, full disks. Clients and readers come from `scripts/peers/install.sh`. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    fileParallelism: false,
  },
})
