import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two workers: the suites start real processes, and CI machines have two cores.
    maxWorkers: 2,
    reporters: ['default'],
  },
})
