import { expect, test } from 'vitest'
import * as loader from '../src/index.ts'

test('the public surface', () => {
  expect(Object.keys(loader).sort()).toMatchInlineSnapshot(`
    [
      "LoadError",
      "StringColumn",
      "loadInteractions",
      "planItems",
      "planLoad",
      "readItems",
      "readVectors",
    ]
  `)
})
