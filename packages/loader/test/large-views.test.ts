import { expect, test } from 'vitest'
import { packLargeViews, unpackLargeViews } from '../src/pool/large-views.ts'

test('arrays of more than 4 GiB reach a worker whole', () => {
  // Only the pages of the last items are ever touched.
  const items = new Uint32Array(new SharedArrayBuffer(4 * (2 ** 30 + 100)))
  items[items.length - 1] = 7
  const task = { kind: 'merge', area: { items, locals: items.subarray(5), values: new Uint8Array(3) } }
  const { area } = unpackLargeViews(structuredClone(packLargeViews(task)))
  expect(area.items).toHaveLength(items.length)
  expect(area.items[items.length - 1]).toBe(7)
  expect(area.locals).toHaveLength(items.length - 5)
  expect(area.locals.byteOffset).toBe(20)
  expect(area.values).toEqual(new Uint8Array(3))
})
