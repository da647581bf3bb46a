import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from '@uwdata/flechette'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { type InteractionMatrix, loadModel, matrixFromCsr, matrixFromTriplets, saveModel } from '../src/index.ts'
import { makeInteractions, makeModel, random } from './recommend-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'model-interactions-'))
afterAll(() => rmSync(folder, { recursive: true }))

const fileOf = (directory: string) => readdirSync(directory).find((name) => name.startsWith('interactions'))

/** Every entry of a matrix, looked up. */
const valuesOf = ({ csr, codebook }: InteractionMatrix) =>
  codebook ? Float32Array.from(csr.values, (code) => codebook[code]) : csr.values

function expectSame(found: InteractionMatrix, expected: InteractionMatrix): void {
  expect([found.users, found.items, found.entries]).toEqual([expected.users, expected.items, expected.entries])
  for (const side of ['csr', 'csc'] as const) {
    for (const array of ['indptr', 'indices', 'values'] as const) {
      const [a, b] = [found[side][array], expected[side][array]].map((part) => Buffer.from(part.buffer))
      expect(Buffer.compare(a, b), `${side}.${array}`).toBe(0)
    }
  }
  expect(found.codebook).toEqual(expected.codebook)
}

function weighted(matrix: InteractionMatrix, distinct: number): InteractionMatrix {
  const next = random(distinct)
  const values = Float32Array.from(matrix.csr.indices, () => Math.fround((1 + Math.floor(distinct * next())) / 7))
  return matrixFromCsr({ ...matrix, ...matrix.csr, values })
}

describe('what users have, saved with a model', () => {
  // 256 distinct values are codes of one byte, 257 are not.
  it.each([1, 256, 257])('%d distinct values come back as they were', async (distinct) => {
    const model = makeModel(500, 90, 4)
    const interactions = weighted(makeInteractions(500, 90, 30), distinct)
    const directory = join(folder, `values-${distinct}`)
    await saveModel(model, directory, { interactions })
    expectSame((await loadModel(directory)).interactions!, interactions)
    expect((await loadModel(directory, { interactions: false })).interactions).toBeUndefined()
    const table = tableFromIPC(new Uint8Array(readFileSync(join(directory, fileOf(directory)!))))
    const rows = table.toColumns() as Record<string, ArrayLike<number>[]>
    const codebook = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')).interactions.codebook
    const values = rows.values.flatMap((list) => Array.from(list, (value) => (codebook ? codebook[value] : value)))
    expect(rows.items.flatMap((list) => Array.from(list))).toEqual([...interactions.csr.indices])
    expect(values).toEqual([...valuesOf(interactions)])
  })

  // A record batch has at most 2^18 users and, unless one user has more, 2^22 entries.
  it.each([
    ['a user more than a batch', 2 ** 18 + 1, 3, (user: number) => user % 3],
    ['a user with as many entries as a batch, and one with more', 4, 2 ** 22 + 9, (u: number) => 2 ** 22 + 3 * u - 3],
  ])('%s', async (name, users, items, lengthOf) => {
    const indptr = new Float64Array(users + 1)
    for (let user = 0; user < users; user++) indptr[user + 1] = indptr[user] + lengthOf(user)
    const indices = new Uint32Array(indptr[users])
    for (let user = 0; user < users; user++) {
      for (let e = indptr[user]; e < indptr[user + 1]; e++) indices[e] = e - indptr[user]
    }
    const values = Float32Array.from(indices, (_, e) => (e % 250) + 1)
    const interactions = matrixFromCsr({ users, items, indptr, indices, values })
    const directory = join(folder, name)
    await saveModel(makeModel(users, items, 1), directory, { interactions })
    expectSame((await loadModel(directory)).interactions!, interactions)
    const bytes = statSync(join(directory, fileOf(directory)!)).size
    expect(bytes).toBeLessThan(5 * interactions.entries + 8 * users + 10_000)
  })

  it('goes on with the model, and goes with it', async () => {
    const directory = join(folder, 'again')
    const interactions = makeInteractions(20, 30, 4)
    const model = makeModel(20, 30, 4)
    await saveModel({ ...model, interactions }, directory)
    await saveModel(await loadModel(directory), directory)
    expectSame((await loadModel(directory)).interactions!, interactions)
    await saveModel(model, directory)
    expect(fileOf(directory)).toBeUndefined()
    expect(readdirSync(directory)).toHaveLength(5)
  })

  it('is of the shape of the model', async () => {
    const wrong = saveModel(makeModel(20, 30, 4), join(folder, 'shape'), { interactions: makeInteractions(20, 31, 4) })
    await expect(wrong).rejects.toThrow('The interactions are 20 users × 31 items, the model 20 × 30')
    await expect(saveModel(makeModel(2, 3, 4), folder, { interaction: 1 } as never)).rejects.toThrow(
      'saveModel has no option interaction: did you mean interactions?',
    )
  })
})

describe('loading refuses', () => {
  const directory = join(folder, 'damaged')
  const interactions = matrixFromTriplets({
    users: 3,
    items: 5,
    rows: [0, 0, 2],
    columns: [1, 4, 2],
    values: [1, 2, 3],
  })
  beforeEach(() => saveModel(makeModel(3, 5, 2), directory, { interactions }))

  const edit = (change: (manifest: never) => void) => {
    const path = join(directory, 'manifest.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    change(manifest as never)
    writeFileSync(path, JSON.stringify(manifest))
  }
  const refused = (message: RegExp) => expect(loadModel(directory)).rejects.toThrow(message)

  it('a file that is missing or cut off', async () => {
    const path = join(directory, fileOf(directory)!)
    writeFileSync(path, readFileSync(path).subarray(0, 100))
    await refused(/interactions-.* has 100 bytes, the manifest says \d+: it is truncated/)
    rmSync(path)
    await refused(/interactions-.* is missing/)
  })

  it('entries that are not those of the model', async () => {
    edit(({ items }: { items: { rows: number } }) => {
      items.rows = 5
    })
    edit(({ interactions }: { interactions: { entries: number } }) => {
      interactions.entries = 4
    })
    await refused(/interactions-.* has 3 users and 3 entries, expected 3 and 4/)
    edit(({ interactions }: { interactions: { entries: number; codebook: number[] } }) => {
      interactions.entries = 3
      interactions.codebook.pop()
    })
    await refused(/interactions-.* has the entry 2 of value 2 in row 2, expected ascending rows of 5 items/)
    edit(({ interactions }: { interactions: { codebook?: number[] } }) => {
      delete interactions.codebook
    })
    await refused(/interactions-.* has no column "values" of lists of Float32Array/)
  })

  it('an index of other ids', async () => {
    edit(({ users }: { users: { index: { bytes: number } } }) => {
      users.index.bytes = 20
    })
    await refused(/users-index-.* has \d+ bytes, the manifest says 20/)
  })
})
