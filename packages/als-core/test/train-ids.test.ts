/** Ids, and the names of options, as programs without types give them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  createWorkerPool,
  loadModel,
  matrixFromCsr,
  matrixFromTriplets,
  OptionError,
  saveModel,
  train,
} from '../src/index.ts'

const pool = createWorkerPool({ threads: 1 })
afterAll(() => pool.close())

const matrix = matrixFromTriplets({ users: 3, items: 4, rows: [0, 0, 1, 1, 2], columns: [0, 1, 1, 2, 3] })
const options = { factors: 4, iterations: 1, pool }
const given = (column: unknown) => ({ ...options, itemIds: column as string[] })

describe('ids of 64 bits, as DuckDB and Arrow give them', () => {
  it.each([
    ['BigInt64Array', BigInt64Array.of(-1n, 9007199254740991n, 3n, 5n)],
    ['an array of bigint', [-1n, 9007199254740991n, 3n, 5n]],
  ])('%s: become numbers, and come back from disk', async (_, column) => {
    const model = await train(matrix, given(column))
    const folder = mkdtempSync(join(tmpdir(), 'ids-'))
    await saveModel(model, folder)
    const loaded = await loadModel(folder)
    rmSync(folder, { recursive: true })
    for (const { itemIds } of [model, loaded]) {
      expect(Array.from({ length: 4 }, (_, row) => itemIds!.at(row))).toEqual([-1, 9007199254740991, 3, 5])
    }
    // A warm start matches them with numbers.
    const again = await train(matrix, { ...given([5, 3, -1, 7]), initial: { ...model, itemIds: column as never } })
    expect(again.items).toBe(4)
  })

  it('make triplets and compressed rows, values included', () => {
    const wide = matrixFromTriplets({
      users: 3,
      items: 4,
      rows: BigInt64Array.of(0n, 0n, 1n, 1n, 2n),
      columns: BigUint64Array.of(0n, 1n, 1n, 2n, 3n),
      values: [1n, 1n, 1n, 1n, 1n],
    })
    expect(wide).toEqual(matrix)
    const { indptr, indices } = matrix.csr
    const compressed = {
      indptr: BigInt64Array.from(indptr, BigInt),
      indices: BigInt64Array.from(indices, BigInt),
      values: BigInt64Array.from(indices, () => 1n),
    }
    expect(matrixFromCsr({ users: 3, items: 4, ...compressed })).toEqual(matrix)
    const beyond = () => matrixFromTriplets({ users: 3, items: 4, rows: [0n], columns: [2n ** 60n] })
    expect(beyond).toThrow(/Entry 0: column is 1152921504606847000, expected an integer from 0 to 3/)
  })
})

describe('ids are refused by row, before the training', () => {
  it.each<[string, unknown, RegExp]>([
    [
      'beyond 2^53',
      BigInt64Array.of(1n, 1200000000000000001n, 1200000000000000003n, 5n),
      /itemIds: row 1 is 1200000000000000001n, expected an integer within 2\^53. Make the ids strings/,
    ],
    [
      'number, then string',
      [1, 'b', 3, 4],
      /itemIds: row 1 is "b", a string, and row 0 1, a number: expected ids of one kind/,
    ],
    ['string, then number', ['1', 2, 3, 4], /itemIds: row 1 is 2, a number, and row 0 "1", a string/],
    ['a gap', [undefined, 2, 3, 4], /itemIds: row 0 is undefined, expected a string or an integer/],
    ['null', ['a', null, 'b', 'c'], /itemIds: row 1 is null, expected a string/],
    ['a fraction', [1, 2.5, 3, 4], /itemIds: row 1 is 2.5, expected/],
    ['a float64 beyond 2^53', Float64Array.of(1, 2, 2 ** 53, 4), /itemIds: row 2 is 9007199254740992/],
    ['one number twice', [1, 2, 3, 2], /itemIds: rows 1 and 3 are both 2, expected distinct ids/],
    ['one string twice', ['a', 'a', 'b', 'c'], /itemIds: rows 0 and 1 are both "a", expected distinct ids/],
    ['one bigint twice', [7n, 1n, 2n, 7n], /itemIds: rows 0 and 3 are both 7/],
    ['too few', ['a'], /itemIds has 1 elements, but the matrix has 4 items/],
  ])('%s', async (_, column, message) => {
    const error = await train(matrix, given(column)).catch((error) => error)
    expect(error).toBeInstanceOf(OptionError)
    expect(error.message).toMatch(message)
  })

  it('strings that only collide in the hash are distinct', async () => {
    // Both of their 32-bit hashes would have to collide; that the ids themselves are compared is seen with many.
    const many = 200_000
    const large = matrixFromTriplets({ users: 1, items: many, rows: [0], columns: [0] })
    const itemIds = Array.from({ length: many }, (_, row) => `release/${row}`)
    expect((await train(large, { ...options, factors: 1, itemIds })).itemIds!.at(many - 1)).toBe('release/199999')
    itemIds[77_777] = itemIds[3]
    await expect(train(large, { ...options, itemIds })).rejects.toThrow(/rows 3 and 77777 are both "release\/3"/)
  })
})

describe('options that do not exist are refused', () => {
  it.each<[object, RegExp]>([
    [{ regularisation: 1 }, /train has no option regularisation: did you mean regularization\?/],
    [{ factor: 8 }, /train has no option factor: did you mean factors\?/],
    [{ zzz: 1 }, /train has no option zzz: expected factors, iterations, /],
    [{ checkpoint: { directory: '/tmp/x', every: 2 } }, /checkpoint has no option every: /],
    [{ validation: { matrix, patients: 1 } }, /validation has no option patients: did you mean patience\?/],
  ])('%o', async (wrong, message) => {
    await expect(train(matrix, { ...options, ...wrong })).rejects.toThrow(message)
  })
})
