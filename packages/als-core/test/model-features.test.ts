/** A model's features on disk: names, vectors and how rows are made of records. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromIPC } from '@uwdata/flechette'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  type AlsModel,
  createWorkerPool,
  type FeatureRecord,
  featuresFrom,
  loadModel,
  ModelFormatError,
  saveModel,
  saveModelStream,
  train,
  vectorFor,
} from '../src/index.ts'
import { makeFeatures, makeMatrix } from './reference.ts'
import { same } from './training.ts'

const pool = createWorkerPool({ threads: 2 })
const directory = mkdtempSync(join(tmpdir(), 'features-'))
afterAll(async () => {
  rmSync(directory, { recursive: true })
  await pool.close()
})

const matrix = makeMatrix(
  Array.from({ length: 60 }, (_, user) => (user * 7) % 30),
  50,
)
const records: FeatureRecord[] = Array.from({ length: 50 }, (_, item) => ({
  artists: [`artist ${item % 11}`, `Björk ${item % 7}`],
  year: item % 5 === 0 ? null : 1960 + item,
}))
let model: AlsModel
beforeAll(async () => {
  const fields = { artists: 'values', year: { bucket: 5, minimum: 1962 } } as const
  const itemFeatures = featuresFrom(records, { fields, minimumItems: 2 })
  const userFeatures = makeFeatures(60, 9, 2)
  model = await train(matrix, { factors: 12, iterations: 2, pool, itemFeatures, userFeatures })
  await saveModel(model, directory)
})

it('a loaded model places a record as the trained one does', async () => {
  const loaded = await loadModel(directory)
  for (const side of ['itemFeatures', 'userFeatures'] as const) {
    const [before, after] = [model[side]!, loaded[side]!]
    expect(Array.from({ length: after.names.length }, (_, f) => after.names.at(f))).toEqual(
      Array.from({ length: before.names.length }, (_, f) => before.names.at(f)),
    )
    expect(same(before.vectors, after.vectors)).toBe(true)
    expect(after.vectors.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(after.regularization).toBe(before.regularization)
  }
  expect(loaded.userFeatures!.vocabulary).toBeUndefined()
  expect(loaded.itemFeatures!.vocabulary!.toJSON()).toEqual(model.itemFeatures!.vocabulary!.toJSON())
  for (const record of [...records, { artists: 'Björk 3' }, { artists: ['nobody'] }, {}]) {
    expect(vectorFor(loaded, record)).toEqual(vectorFor(model, record))
  }
  // A model is saved again as it is.
  const again = join(directory, 'again')
  await saveModel(loaded, again)
  expect((await loadModel(again)).itemFeatures!.vocabulary!.toJSON()).toEqual(loaded.itemFeatures!.vocabulary!.toJSON())
})

it('a model whose factors come in batches keeps them', async () => {
  const folder = join(directory, 'stream')
  const { userFactors, itemFactors, interactionCounts } = model
  const users = [{ data: userFactors }]
  const items = [{ data: itemFactors, numbers: { interaction_count: interactionCounts } }]
  await saveModelStream({ ...model, users, items }, folder)
  const saved = await loadModel(folder)
  expect(saved).toEqual(await loadModel(directory))
  expect(vectorFor(saved, records[3])).toEqual(vectorFor(model, records[3]))
})

it('any reader of Arrow has names, vectors and counts', () => {
  const file = readdirSync(directory).find((name) => name.startsWith('item-features'))!
  const table = tableFromIPC(readFileSync(join(directory, file)))
  const { names, vectors, vocabulary } = model.itemFeatures!
  expect(table.schema.fields.map(({ name }) => name)).toEqual(['id', 'vector', 'item_count'])
  expect(table.getChild('id').toArray()).toEqual(names)
  expect([...table.getChild('vector').at(3)]).toEqual([...vectors.subarray(36, 48)])
  expect([...table.getChild('item_count').toArray()]).toEqual([...vocabulary!.counts])
})

it('a model without features leaves no files of the one before; a truncated file is refused', async () => {
  const other = join(directory, 'other')
  await saveModel(model, other)
  const { itemFeatures: _, userFeatures: __, ...plain } = model
  await saveModel(plain, other)
  expect(readdirSync(other).filter((name) => name.includes('features'))).toEqual([])
  expect((await loadModel(other)).itemFeatures).toBeUndefined()
  await saveModel(model, other)
  truncateSync(join(other, readdirSync(other).find((name) => name.startsWith('item-features'))!), 500)
  await expect(loadModel(other)).rejects.toThrow(ModelFormatError)
  await expect(loadModel(other)).rejects.toThrow(/item-features-.* has 500 bytes/)
})
