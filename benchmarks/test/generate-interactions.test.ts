import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readInteractions, writeMatrix } from '../cached-interactions.ts'
import { generateInteractions } from '../generate-interactions.ts'

const size = { users: 5_000, items: 800, entries: 200_000 }
const matrix = await generateInteractions(size)

describe('generateInteractions', () => {
  it('has the entries asked for, distinct and ascending in every row of both orientations', () => {
    for (const [rows, columns, { indptr, indices }] of [
      [size.users, size.items, matrix.csr],
      [size.items, size.users, matrix.csc],
    ] as const) {
      expect(indptr[rows]).toBe(size.entries)
      for (let row = 0; row < rows; row++) {
        for (let e = indptr[row]; e < indptr[row + 1]; e++) {
          if (e > indptr[row] && indices[e] <= indices[e - 1]) expect.fail(`row ${row} is not ascending at ${e}`)
          if (indices[e] >= columns) expect.fail(`row ${row} has column ${indices[e]}`)
        }
      }
    }
  })

  it('holds the same values in both orientations', () => {
    const byPair = new Map<number, number>()
    for (let user = 0; user < size.users; user++) {
      for (let e = matrix.csr.indptr[user]; e < matrix.csr.indptr[user + 1]; e++) {
        byPair.set(user * size.items + matrix.csr.indices[e], matrix.csr.values[e])
      }
    }
    let different = 0
    for (let item = 0; item < size.items; item++) {
      for (let e = matrix.csc.indptr[item]; e < matrix.csc.indptr[item + 1]; e++) {
        if (byPair.get(matrix.csc.indices[e] * size.items + item) !== matrix.csc.values[e]) different++
      }
    }
    expect(different).toBe(0)
  })

  it('is the same matrix for a seed everywhere, and another for another seed', async () => {
    const digest = ({ csr }: typeof matrix) =>
      createHash('sha256').update(new Uint8Array(csr.indices.buffer)).update(csr.values).digest('hex').slice(0, 16)
    expect(digest(matrix)).toMatchInlineSnapshot(`"108c3bcdf0d6eae3"`)
    expect(digest(await generateInteractions(size, 2))).not.toBe(digest(matrix))
  })

  it('is read back from its files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'seesaw-'))
    try {
      writeMatrix(join(folder, 'matrix'), matrix)
      const read = readInteractions(join(folder, 'matrix'))
      expect(read.csr.indices).toEqual(matrix.csr.indices)
      expect(read.csc.values).toEqual(matrix.csc.values)
      expect(read.codebook).toEqual(matrix.codebook)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
