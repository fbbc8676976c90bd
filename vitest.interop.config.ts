import { defineConfig } from 'vitest/config'

/** Suites that need peers from other registries: `scripts/peers/install.sh` installs them. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    fileParallelism: false,
  },
})
