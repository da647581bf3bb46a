import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/test/**/*.test.ts', 'benchmarks/test/**/*.test.ts'],
    // Two files at a time, also where there are two cores: many tests wait for servers and child processes.
    maxWorkers: 2,
    // The packages run as they are, by Node's own loader.
    experimental: { viteModuleRunner: false },
    // Ends what hangs; no time is asserted, and a busy machine takes its time.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // The difference of two arrays of ten thousand lines would take minutes.
    diff: { truncateThreshold: 500 },
  },
})
