import { expect, test } from 'vitest'
import * as spark from '../src/index.ts'

test('the public surface', () => {
  expect(Object.keys(spark).sort()).toMatchInlineSnapshot(`
    [
      "SparkError",
      "mergeOnSpark",
      "trainOnSpark",
    ]
  `)
})
