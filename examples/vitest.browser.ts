/** Tests that drive a browser: `npm run test:browser`. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['examples/test-browser/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
