/** Saved models and other readers and writers of Arrow files: the same numbers, to the bit. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from '@uwdata/flechette'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rowRandom } from '../src/evaluate/row-random.ts'
import { type AlsModel, loadModel, ModelFormatError, matrixFromTriplets, saveModel, train } from '../src/index.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'model-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const fixtures = new URL('./arrow-files/', import.meta.url)
const ids = (column: AlsModel['userIds']) => Array.from({ length: column!.length }, (_, row) => column!.at(row))

/** Puts a file of the folder in place of both sides of a model with 5 rows and 3 factors. */
function loadFixture(name: string): Promise<AlsModel> {
  copyFileSync(new URL(name, fixtures), join(directory, name))
  const side = { name, rows: 5, bytes: statSync(join(directory, name)).size, ids: true }
  const options = { factors: 3 }
  const manifest = {
    format: 'seesaw-als-model',
    version: 1,
    factors: 3,
    users: side,
    items: side,
    options,
    history: [],
  }
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest))
  return loadModel(directory)
}

describe('a model whose files another program wrote is loaded to the bit', () => {
  const vectors = Float32Array.from({ length: 15 }, (_, at) => Math.fround(at) * Math.fround(0.1))
  const numbers = [7, 2 ** 40, 3, 2, 1]
  const strings = ['a', 'é ✓', '', 'longer than twelve bytes', 'b']
  it.each([
    ['pyarrow-numbers.arrow', numbers],
    ['pyarrow-batches.arrow', numbers], // of 2, 2 and 1 rows; uint64 ids, int64 counts
    ['pyarrow-sliced.arrow', strings], // out of a table whose other rows are null
    ['pyarrow-lists.arrow', strings], // lists of any length, large strings
    ['pyarrow-dictionary.arrow', strings],
    ['pyarrow-stream.arrow', strings],
    ['polars.arrow', strings], // string views
    ['polars-numbers.arrow', numbers],
    ['duckdb.arrow', strings],
  ])('%s', async (name, expected) => {
    const model = await loadFixture(name)
    expect(model.userFactors).toEqual(vectors)
    expect(model.itemFactors).toEqual(vectors)
    expect(ids(model.userIds)).toEqual(expected)
    expect(ids(model.itemIds)).toEqual(expected)
    expect(model.interactionCounts).toEqual(Uint32Array.of(5, 4, 3, 2, 1))
  })

  it.each([
    ['null-id.arrow', /"id" of row 1 has a null/],
    ['null-number.arrow', /"vector" of row 3 has a null/],
    ['large-id.arrow', /"id" of row 3 is 9007199254740993, beyond 2\^53: make ids strings/],
  ])('or refused: %s', async (name, message) => {
    const error = await loadFixture(name).catch((reason) => reason)
    expect(error).toBeInstanceOf(ModelFormatError)
    expect(error.message).toMatch(message)
  })
})

describe('random models, saved', () => {
  let base: AlsModel
  let weighted: AlsModel
  beforeAll(async () => {
    const matrix = matrixFromTriplets({ users: 1, items: 1, rows: [0], columns: [0] })
    base = await train(matrix, { factors: 1, iterations: 1, threads: 1 })
    weighted = await train(matrix, { factors: 1, iterations: 1, threads: 1, popularityExponent: 0.5 })
  })

  /** A model of random shape, with zeros of both signs and numbers below the normal ones among its factors. */
  function draw(seed: number): AlsModel {
    const random = rowRandom(seed, 0)
    const below = (limit: number) => Math.floor(random() * limit)
    const [users, items, factors] = [below(6), below(8), 1 + below(9)]
    const special = [0, -0, 1e-40, 3.4e38, -1.17e-38]
    const fill = (length: number) => {
      const array = new Float32Array(new SharedArrayBuffer(4 * length))
      for (let at = 0; at < length; at++) array[at] = random() < 0.2 ? special[below(5)] : random() - 0.5
      return array
    }
    const columns: Record<number, (rows: number) => AlsModel['userIds']> = {
      0: (rows) => Float64Array.from({ length: rows }, (_, row) => 2 ** 53 - 1 - row),
      1: (rows) => Array.from({ length: rows }, (_, row) => `${'é'.repeat(row)}${row}`),
      2: () => undefined,
    }
    return {
      ...(seed % 2 ? weighted : base),
      users,
      items,
      factors,
      userFactors: fill(users * factors),
      itemFactors: fill(items * factors),
      userIds: columns[seed % 3](users),
      itemIds: columns[seed % 3](items),
      interactionCounts: Uint32Array.from({ length: items }, () => below(2 ** 32)),
      itemWeights: seed % 2 ? fill(items) : undefined,
    }
  }

  const bits = (array: Float32Array) => [...new Uint32Array(array.slice().buffer)]

  it('are loaded to the bit, and read to the bit by another reader of Arrow files', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const model = draw(seed)
      const folder = join(directory, String(seed))
      await saveModel(model, folder)
      const loaded = await loadModel(folder)
      expect(bits(loaded.userFactors), `seed ${seed}`).toEqual(bits(model.userFactors))
      expect(bits(loaded.itemFactors), `seed ${seed}`).toEqual(bits(model.itemFactors))
      expect(loaded.interactionCounts).toEqual(model.interactionCounts)
      expect(loaded.itemWeights && bits(loaded.itemWeights)).toEqual(model.itemWeights && bits(model.itemWeights))
      for (const side of ['users', 'items'] as const) {
        const idsOf = side === 'users' ? 'userIds' : 'itemIds'
        const factors = side === 'users' ? model.userFactors : model.itemFactors
        const given = model[idsOf] && ids(model[idsOf])
        expect(loaded[idsOf] && ids(loaded[idsOf])).toEqual(given)
        const file = readdirSync(folder).find((name) => name.startsWith(side))!
        const table = tableFromIPC(readFileSync(join(folder, file)), { useBigInt: true })
        expect(table.numRows).toBe(model[side])
        const other = Float32Array.from([...table.getChild('vector')!].flatMap((vector) => [...vector]))
        expect(bits(other)).toEqual(bits(factors))
        const numbered = given ?? Array.from({ length: model[side] }, (_, row) => row)
        expect([...table.getChild('id')!].map((id) => (typeof id === 'bigint' ? Number(id) : id))).toEqual(numbered)
      }
    }
  }, 60_000)

  // Record batches end at 65,536 rows, or at 32 MB of vectors: 8,192 rows of 1,024 factors.
  it.each([
    ['no row', 0, 1],
    ['one row under a batch', 65_535, 1],
    ['a whole batch', 65_536, 1],
    ['one row over', 65_537, 1],
    ['one row over a batch of 32 MB', 8_193, 1024],
  ])('with %s are loaded to the bit', async (_, rows, factors) => {
    const values = new Float32Array(new SharedArrayBuffer(4 * rows * factors))
    for (let at = 0; at < values.length; at++) values[at] = Math.sin(at)
    const drawn = draw(0)
    const userIds = Float64Array.from({ length: rows }, (_, row) => 3 * row)
    const itemFactors = new Float32Array(new SharedArrayBuffer(4 * drawn.items * factors))
    await saveModel({ ...drawn, factors, users: rows, userFactors: values, userIds, itemFactors }, directory)
    const loaded = await loadModel(directory)
    expect(Buffer.from(loaded.userFactors.buffer).equals(Buffer.from(values.buffer))).toBe(true)
    expect(ids(loaded.userIds)).toEqual([...userIds])
  })
})
