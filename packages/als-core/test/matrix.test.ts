/** Building matrices, and every input that is refused. */
import { describe, expect, it } from 'vitest'
import {
  type CsrInput,
  type InteractionMatrix,
  MatrixError,
  matrixFromCsr,
  matrixFromTriplets,
  OptionError,
  train,
  weightByPopularity,
} from '../src/index.ts'
import { random } from './recommend-model.ts'

const cells = ({ csr, codebook }: InteractionMatrix) =>
  Array.from({ length: csr.indptr.length - 1 }, (_, row) => {
    const [from, to] = [csr.indptr[row], csr.indptr[row + 1]]
    return Array.from({ length: to - from }, (_, e) => [
      csr.indices[from + e],
      codebook ? codebook[csr.values[from + e]] : csr.values[from + e],
    ])
  })

describe('a matrix', () => {
  it('from triplets has both orientations, sorted', () => {
    const matrix = matrixFromTriplets({
      users: 3,
      items: 4,
      rows: [2, 0, 2, 0],
      columns: [3, 1, 0, 0],
      values: [1, 2, -3, 4],
    })
    expect(matrix.entries).toBe(4)
    expect(cells(matrix)).toEqual([
      [
        [0, 4],
        [1, 2],
      ],
      [],
      [
        [0, -3],
        [3, 1],
      ],
    ])
    expect([...matrix.csc.indptr]).toEqual([0, 2, 3, 3, 4])
    expect([...matrix.csc.indices]).toEqual([0, 2, 0, 2])
    expect([...matrix.codebook!]).toEqual([-3, 1, 2, 4])
  })

  it('keeps 256 values as codes and 257 as floats', () => {
    const make = (count: number) =>
      matrixFromTriplets({
        users: 1,
        items: count,
        rows: new Uint32Array(count),
        columns: Uint32Array.from({ length: count }, (_, i) => i),
        values: Float32Array.from({ length: count }, (_, i) => (i + 1) / 4),
      })
    expect(make(256).csr.values).toBeInstanceOf(Uint8Array)
    expect(make(257).csr.values).toBeInstanceOf(Float32Array)
    expect(make(257).codebook).toBeUndefined()
  })

  it('uses shared arrays in place', () => {
    const indices = new Uint32Array(new SharedArrayBuffer(8))
    indices.set([0, 2])
    expect(matrixFromCsr({ users: 1, items: 3, indptr: [0, 2], indices, values: [1, 1] }).csr.indices).toBe(indices)
  })

  it('merges duplicates by the stated policy', () => {
    const triplets = { users: 2, items: 3, rows: [0, 1, 0, 0], columns: [2, 0, 1, 2], values: [2, 1, 5, 3] }
    expect(cells(matrixFromTriplets({ ...triplets, duplicates: 'max' }))[0]).toEqual([
      [1, 5],
      [2, 3],
    ])
    expect(cells(matrixFromTriplets({ ...triplets, duplicates: 'sum' }))[0]).toEqual([
      [1, 5],
      [2, 5],
    ])
    expect(() => matrixFromTriplets(triplets)).toThrow(/Row 0 has column 2 more than once.*'max', 'sum' or 'last'/)
    expect(() => matrixFromTriplets({ ...triplets, values: [2, 1, 5, -2], duplicates: 'sum' })).toThrow(/add up to 0/)
  })

  it('is the same from triplets in any order', () => {
    const next = random(5)
    const count = 500
    const triplets = Array.from({ length: count }, (_, i) => [
      i % 50,
      Math.floor(i / 50) * 3 + (i % 3),
      1 + Math.floor(next() * 4),
    ])
    const make = (order: number[][]) =>
      matrixFromTriplets({
        users: 50,
        items: 40,
        rows: order.map(([r]) => r),
        columns: order.map(([, c]) => c),
        values: order.map(([, , v]) => v),
      })
    expect(make(triplets)).toEqual(make([...triplets].sort(() => next() - 0.5)))
  })
})

describe('refused by matrixFromTriplets', () => {
  const triplets = { users: 2, items: 3, rows: [0, 1], columns: [2, 0], values: [1, 2] }
  it.each([
    [{ values: [1] }, /2 rows, 2 columns, 1 values/],
    [{ columns: [1] }, /2 rows, 1 columns/],
    [{ rows: [0, 2] }, /Entry 1: row is 2, expected an integer from 0 to 1/],
    [{ rows: [0, -1] }, /Entry 1: row is -1/],
    [{ columns: [3, 0] }, /Entry 0: column is 3, expected an integer from 0 to 2/],
    [{ columns: [0.5, 0] }, /column is 0.5/],
    [{ columns: [Number.NaN, 0] }, /column is NaN/],
    [{ values: [1, Number.NaN] }, /Row 1, column 0: value NaN/],
    [{ values: [1, Infinity] }, /value Infinity/],
    [{ values: [1, -Infinity] }, /value -Infinity/],
    [{ values: [1, 0] }, /value 0, expected a finite float32 other than 0/],
    [{ values: [1, 1e39] }, /finite float32/],
    [{ users: 0 }, /Entry 0: row is 0.*users: 0/],
  ] as [object, RegExp][])('%o', (change, message) => {
    expect(() => matrixFromTriplets({ ...triplets, ...change })).toThrow(MatrixError)
    expect(() => matrixFromTriplets({ ...triplets, ...change })).toThrow(message)
  })
})

describe('refused by matrixFromCsr', () => {
  const csr: CsrInput = { users: 2, items: 3, indptr: [0, 1, 2], indices: [2, 0], values: [1, 2] }
  it.each([
    [{ users: 0 }, /users is 0/],
    [{ items: 1.5 }, /items is 1.5/],
    [{ items: 2 ** 32 }, /items is 4294967296/],
    [{ users: 3 }, /indptr has 3 offsets, expected users \+ 1 = 4/],
    [{ values: [1] }, /1 values for 2 indices/],
    [{ indptr: [0, 2, 1] }, /from 0 to 1, expected from 0 to the number of entries, 2/],
    [{ indptr: [1, 1, 2] }, /runs from 1/],
    [{ indptr: [0, Number.NaN, 2] }, /Row 0: indptr decreases from 0 to NaN/],
    [{ indptr: [0, 3, 2] }, /entry 2: column undefined|Row 1: indptr decreases from 3 to 2/],
    [{ indices: [3, 0] }, /Row 0, entry 0: column 3, expected an integer from 0 to 2/],
  ] as [Partial<CsrInput>, RegExp][])('%o', (change, message) => {
    expect(() => matrixFromCsr({ ...csr, ...change })).toThrow(MatrixError)
    expect(() => matrixFromCsr({ ...csr, ...change })).toThrow(message)
  })
})

describe('refused by train before any thread starts', () => {
  const matrix = matrixFromTriplets({ users: 2, items: 3, rows: [0, 1], columns: [2, 0], values: [1, 2] })
  const pool = new Proxy({} as never, {
    get: () => {
      throw new Error('the pool was used')
    },
  })
  const shared = (values: number[]) => {
    const array = new Uint32Array(new SharedArrayBuffer(4 * values.length))
    array.set(values)
    return array
  }

  it.each([
    [{ factors: 0 }, /factors is 0, expected an integer from 1/],
    [{ factors: 8.5 }, /factors is 8.5/],
    [{ iterations: -1 }, /iterations is -1/],
    [{ regularization: -0.1 }, /regularization is -0.1, expected a finite number of at least 0/],
    [{ regularization: Number.NaN }, /regularization is NaN/],
    [{ alpha: 0 }, /alpha is 0, expected a finite number above 0/],
    [{ alpha: Infinity }, /alpha is Infinity/],
    [{ objective: 'bpr' }, /objective is "bpr", expected 'hkv' or 'ials'/],
    [{ unobservedWeight: 0.5 }, /'hkv' fixes it at 1: choose objective 'ials'/],
    [{ objective: 'ials', unobservedWeight: -1 }, /unobservedWeight is -1/],
    [{ regularizationScaling: { nu: Number.NaN } }, /regularizationScaling is {"nu":null}/],
    [{ regularizationScaling: 'log' }, /regularizationScaling is "log"/],
    [{ solver: 'lu' }, /solver is "lu"/],
    [{ tolerance: -1 }, /tolerance is -1/],
    [{ maxSteps: 0 }, /maxSteps is 0/],
    [{ gatherPrecision: 'float16' }, /gatherPrecision is "float16"/],
    [{ kernel: 'native' }, /kernel is "native"/],
    [{ seed: -1 }, /seed is -1/],
    [{ threads: 0 }, /threads is 0/],
    [{ userIds: [1] }, /userIds has 1 elements, but the matrix has 2 users/],
    [{ itemIds: [1] }, /itemIds has 1 elements, but the matrix has 3 items/],
    [{ interactionCounts: new Uint32Array(2) }, /interactionCounts has 2 elements/],
    [{ checkpoint: { directory: '' } }, /checkpoint.directory is ""/],
    [{ checkpoint: { directory: 'x', everyIterations: 0 } }, /checkpoint.everyIterations is 0/],
    [{ checkpoint: { directory: 'x', onMismatch: 'keep' as never } }, /checkpoint.onMismatch is "keep"/],
    [{ initial: {} }, /initial has no itemFactors/],
    [{ factors: 2, initial: { itemFactors: new Float32Array(5) } }, /has 5 values, expected 3 rows of 2 factors/],
    [
      { factors: 2, initial: { factors: 3, itemFactors: new Float32Array(9) } },
      /initial has 3 factors, but factors is 2/,
    ],
    [{ factors: 1, initial: { itemFactors: Float32Array.of(1, Number.NaN, 1) } }, /itemFactors has NaN in row 1/],
    [
      { factors: 1, initial: { itemFactors: new Float32Array(3), itemIds: [1, 2, 3] } },
      /initial has itemIds, the training none/,
    ],
    [
      { factors: 1, itemIds: ['1', '2', '3'], initial: { itemFactors: new Float32Array(3), itemIds: [1, 2, 3] } },
      /None of the 3 itemIds.*"1" against 1/,
    ],
  ] as [object, RegExp][])('option %o', async (options, message) => {
    const error = await train(matrix, { pool, ...options }).catch((error) => error)
    expect(error).toBeInstanceOf(OptionError)
    expect(error.message).toMatch(message)
  })

  it.each([
    [{ users: 0 }, /matrix's users is 0/],
    [{ items: 4 }, /csc.indptr has 4 elements, expected 5/],
    [{ entries: 3 }, /csr.indices has 2 elements, expected 3/],
    [
      { csr: { ...matrix.csr, indices: new Uint32Array(2) } },
      /csr.indices is on an ArrayBuffer, expected a SharedArrayBuffer/,
    ],
    [{ codebook: undefined }, /Uint8Array codes, but the matrix has no codebook/],
    [{ csr: { ...matrix.csr, indices: shared([2, 3]) } }, /csr: row 1 has column 3, expected columns from 0 to 2/],
    [{ csc: { ...matrix.csc, indices: shared([1, 2]) } }, /csc: row 2 has column 2/],
    [
      { csr: { ...matrix.csr, values: new Uint8Array(new SharedArrayBuffer(2)).fill(7) } },
      /csr: row 0, column 2 has code 7/,
    ],
    [
      {
        csr: { ...matrix.csr, values: floats([1, Number.NaN]) },
        csc: { ...matrix.csc, values: floats([1, 2]) },
        codebook: undefined,
      },
      /csr: row 1, column 0 has value NaN/,
    ],
    [{ codebook: floats([1, Infinity]) }, /codebook\[1\] is Infinity/],
  ] as [Partial<InteractionMatrix>, RegExp][])('matrix %#', async (change, message) => {
    const error = await train({ ...matrix, ...change }, { pool }).catch((error) => error)
    expect(error).toBeInstanceOf(MatrixError)
    expect(error.message).toMatch(message)
  })

  it('columns that are unsorted or come twice', async () => {
    const two = matrixFromTriplets({ users: 1, items: 3, rows: [0, 0], columns: [0, 2], values: [1, 2] })
    for (const indices of [shared([2, 0]), shared([2, 2])]) {
      const error = await train({ ...two, csr: { ...two.csr, indices } }, { pool }).catch((error) => error)
      expect(error.message).toMatch(/csr: row 0 has column \d after column 2, expected ascending columns, none twice/)
    }
  })

  function floats(values: number[]): Float32Array<SharedArrayBuffer> {
    const array = new Float32Array(new SharedArrayBuffer(4 * values.length))
    array.set(values)
    return array
  }
})

describe('systems that cannot be solved', () => {
  it('name the row and what to change', async () => {
    // A confidence below 1 makes the weight negative, and without regularisation the system indefinite.
    const matrix = matrixFromTriplets({
      users: 3,
      items: 2,
      rows: [0, 1, 2, 2],
      columns: [0, 0, 0, 1],
      values: [1, 1, 1e30, 1e30],
    })
    const error = await train(matrix, { factors: 2, threads: 1, alpha: 1e8 }).catch((error) => error)
    expect(error.name).toBe('RowError')
    expect(error).toMatchObject({ side: 'users', row: 2 })
    expect(error.message).toMatch(/row 2 of the users.*raise regularization.*values × alpha/)
  })

  it('singular without regularisation: fewer rows than factors', async () => {
    const matrix = matrixFromTriplets({ users: 3, items: 2, rows: [0, 1, 2], columns: [0, 0, 1], values: [1, 1, 1] })
    const error = await train(matrix, { factors: 8, threads: 1, regularization: 0 }).catch((error) => error)
    expect(error.name).toBe('SingularError')
    expect(error.message).toMatch(/Raise regularization, or lower factors below 8/)
  })
})

describe('weighting by popularity', () => {
  const matrix = matrixFromTriplets({
    users: 4,
    items: 3,
    rows: [0, 1, 2, 3, 0],
    columns: [0, 0, 0, 0, 1],
    values: [1, 1, 2, -2, 1],
  })

  it('gives less weight to entries of items that many have, and keeps signs, pairs and the mean', () => {
    // n̄ = 5/3: weights (4/n̄)^-½ and (1/n̄)^-½, a ratio of 2.
    const weights = [1, 1, 2, -2, 2]
    const scale = 7 / weights.reduce((sum, weight) => sum + Math.abs(weight), 0)
    const [first, ...others] = cells(weightByPopularity(matrix, 0.5))
    expect(first.map(([item]) => item)).toEqual([0, 1])
    const values = [first[0][1], ...others.map(([[, value]]) => value), first[1][1]]
    for (const [e, value] of values.entries()) expect(value).toBeCloseTo(weights[e] * scale, 6)
  })

  it('with exponent 0 changes nothing', () => {
    expect(cells(weightByPopularity(matrix, 0))).toEqual(cells(matrix))
  })

  it.each([-0.1, 1.1, Number.NaN])('refuses an exponent of %s', (exponent) => {
    expect(() => weightByPopularity(matrix, exponent)).toThrow(`exponent is ${exponent}, expected a number from 0 to 1`)
  })
})
