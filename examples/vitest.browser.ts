/** Tests that drive a browser: `npm run test:browser`. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['examples/test-browser/**/*.test.ts'],
    // On a busy machine a browser takes its time; no time is asserted.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
