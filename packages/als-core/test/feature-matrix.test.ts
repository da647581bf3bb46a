import { describe, expect, test } from 'vitest'
import {
  checkFeatures,
  featuresFromCsr,
  featuresFromDense,
  type SparseFeatures,
} from '../src/features/feature-matrix.ts'
import { sharedFloat32 } from '../src/pool/shared-arrays.ts'

const rows: SparseFeatures = {
  rows: 3,
  names: ['a', 'b', 'c'],
  indptr: [0, 2, 2, 3],
  indices: [0, 2, 1],
  values: [1, 0.5, -2],
}

describe('featuresFromCsr', () => {
  test('keeps the entries, in shared arrays', () => {
    const matrix = featuresFromCsr(rows)
    expect(matrix).toMatchObject({ rows: 3, features: 3 })
    expect([...matrix.indptr]).toEqual([0, 2, 2, 3])
    expect([...matrix.values]).toEqual([1, 0.5, -2])
    for (const array of [matrix.indptr, matrix.indices, matrix.values]) {
      expect(array.buffer).toBeInstanceOf(SharedArrayBuffer)
    }
    expect(() => checkFeatures('itemFeatures', matrix, 3, 'items')).not.toThrow()
  })

  test('sorts the features of a row, with their values', () => {
    const matrix = featuresFromCsr({ ...rows, indices: [2, 0, 1] })
    expect([...matrix.indices]).toEqual([0, 2, 1])
    expect([...matrix.values]).toEqual([0.5, 1, -2])
  })

  test('takes 64-bit integers', () => {
    expect([...featuresFromCsr({ ...rows, indptr: BigInt64Array.of(0n, 2n, 2n, 3n) }).indptr]).toEqual([0, 2, 2, 3])
  })

  test('uses shared arrays of its own types in place', () => {
    const values = sharedFloat32(3)
    expect(featuresFromCsr({ ...rows, values }).values).toBe(values)
  })

  test.each([
    [{ names: [] }, /0 features, expected at least one/],
    [{ names: ['a', 'b', 'a'] }, /Two features are named "a"/],
    [{ names: ['a', '', 'c'] }, /feature 1 is ""/],
    [{ indptr: [0, 2, 3] }, /3 rows and 3 offsets/],
    [{ indptr: [0, 2, 1, 3] }, /decrease from 2 to 1 at row 1/],
    [{ indptr: [0, 2, 2, 4] }, /offsets from 0 to 4 for 3 indices/],
    [{ indices: [0, 3, 1] }, /row 0 has feature 3, expected an integer from 0 to 2/],
    [{ indices: [0, -1, 1] }, /row 0 has feature -1/],
    [{ indices: [0, 1.5, 1] }, /row 0 has feature 1.5/],
    [{ indices: [2, 2, 1] }, /row 0 has feature 2 \(c\) twice/],
    [{ values: [1, Number.NaN, 1] }, /row 0, feature 2 \(c\) is NaN/],
    [{ values: [1, 1, 1e39] }, /row 2, feature 1 \(b\) is Infinity/],
  ] as [Partial<SparseFeatures>, RegExp][])('refuses %o', (change, message) => {
    expect(() => featuresFromCsr({ ...rows, ...change })).toThrow(message)
  })

  test('finds a feature that comes twice in a row that is not sorted', () => {
    const twice = { ...rows, rows: 1, indptr: [0, 3], indices: [2, 0, 2] }
    expect(() => featuresFromCsr(twice)).toThrow(/feature 2 \(c\) twice/)
  })
})

test('featuresFromDense leaves out the zeros', () => {
  const matrix = featuresFromDense({ names: ['x', 'y'], data: [0, 1, 0, 0, 2, 3] })
  expect([...matrix.indptr]).toEqual([0, 1, 1, 3])
  expect([...matrix.indices]).toEqual([1, 0, 1])
  expect([...matrix.values]).toEqual([1, 2, 3])
  expect(() => featuresFromDense({ names: ['x', 'y'], data: [1, 2, 3] })).toThrow(/multiple of the 2 features/)
  expect(() => featuresFromDense({ names: ['x'], data: [1, Number.NaN] })).toThrow(/row 1, feature 0 \(x\) is NaN/)
})

test('checkFeatures names the array and the rows', () => {
  const matrix = featuresFromCsr(rows)
  expect(() => checkFeatures('itemFeatures', matrix, 4, 'items')).toThrow(
    /itemFeatures has 3 rows, expected 4, the number of items/,
  )
  const unshared = { ...matrix, values: new Float32Array(3) } as unknown as typeof matrix
  expect(() => checkFeatures('itemFeatures', unshared, 3, 'items')).toThrow(/itemFeatures.values is on an ArrayBuffer/)
  matrix.indices.set([2, 0], 0)
  expect(() => checkFeatures('itemFeatures', matrix, 3, 'items')).toThrow(/do not ascend/)
})
