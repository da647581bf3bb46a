import { defineConfig } from 'vitest/config'

/** The tests with a real Spark, apart from the others: those need neither Java nor Python. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['test-spark/**/*.test.ts'],
    globalSetup: ['./test-spark/setup.ts'],
    // One JVM at a time.
    fileParallelism: false,
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
  },
})
