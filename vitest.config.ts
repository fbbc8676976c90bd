import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'test/unit/**/*.test.ts',
      'test/contract/**/*.test.ts',
      'test/style/**/*.test.ts',
      'test/fuzz/**/*.test.ts',
    ],
    testTimeout: 30_000,
    pool: 'forks',
  },
})
