import { defineConfig } from 'vitest/config'

/** Runs what the README and the docs tell people to run. */
export default defineConfig({
  test: { include: ['test/docs/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 180_000, pool: 'forks' },
})
