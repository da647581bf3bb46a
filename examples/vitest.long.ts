/** Whole runs of the programs as child processes, one after the other: `npm run test:long`. */
import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../vitest.config.ts'

export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({ test: { include: ['examples/test-long/**/*.test.ts'] } }),
)
