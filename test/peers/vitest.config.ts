import { defineConfig } from 'vitest/config'

// The peers' own suite: `vitest run -c test/peers/vitest.config.ts`. It needs what scripts/peers/install.sh installs.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    fileParallelism: false,
  },
})
