import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type FeatureMatrix,
  type FeatureRecord,
  FeatureRows,
  type FeatureVocabulary,
  featuresFrom,
  foldInItems,
  type InteractionMatrix,
  matrixFromTriplets,
  train,
  vectorFor,
} from '@seesaw/als-core'
import { Index, publish, similar } from '@seesaw/qdrant-sink'
import { afterAll, expect, test } from 'vitest'
import { startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { randomStream } from '../catalogue/random.ts'
import { serveCatalogue } from '../pipeline/catalogue-vectors.ts'
import { WholeCatalogue } from '../pipeline/whole-catalogue.ts'

const folder = mkdtempSync(join(tmpdir(), 'whole-catalogue-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const [users, items] = [300, 120]
const random = randomStream(5, 0)
/** Items of a style are liked by the users of that style. */
const styleOf = (item: number) => `style ${item % 6}`
const recordOf = (item: number) => ({ title: `Title ${item}`, styles: [styleOf(item)], year: 1970 + (item % 30) })

function interactions(count: number, among: number, from: number): InteractionMatrix {
  const pairs = Array.from({ length: count }, () => {
    const user = random.below(users)
    return [user, 6 * random.below(among / 6) + (random.chance(0.8) ? user % 6 : random.below(6))]
  })
  return matrixFromTriplets({
    users,
    items: among,
    rows: pairs.map(([user]) => user!),
    columns: pairs.map(([, item]) => item!),
    values: pairs.map(([user]) => (user! + from) % 3 || 3),
    duplicates: 'max',
  })
}

/** A model of the items 10, 20, …; ids of rare and new items lie between. */
async function makeShop() {
  const matrix = interactions(6000, items, 0)
  const itemIds = Uint32Array.from({ length: items }, (_, row) => 10 * row)
  const itemFeatures = featuresFrom(
    Array.from({ length: items }, (_, row) => recordOf(row)),
    { fields: { styles: 'values', year: { bucket: 5 } } },
  )
  const model = await train(matrix, { factors: 16, iterations: 5, itemIds, itemFeatures, popularityExponent: 0.25 })
  const rareMatrix = interactions(60, 30, 1)
  const counts = ({ csc, items: n }: InteractionMatrix) => {
    const lengths = new Uint32Array(new SharedArrayBuffer(4 * n))
    for (let item = 0; item < n; item++) lengths[item] = csc.indptr[item + 1]! - csc.indptr[item]!
    return lengths
  }
  const rareIds = Uint32Array.from({ length: 30 }, (_, item) => 10 * item + 5)
  const rare = { matrix: rareMatrix, itemIds: rareIds, interactionCounts: counts(rareMatrix) }
  const loaded = { itemIds, interactionCounts: counts(matrix), rare } as unknown as Parameters<
    WholeCatalogue['finish']
  >[0]
  return { model, loaded, rare }
}

function rowsOf(vocabulary: FeatureVocabulary, records: FeatureRecord[]): FeatureMatrix {
  const rows = new FeatureRows(vocabulary, records.length)
  for (const [row, record] of records.entries()) rows.set(row, record)
  return rows.finish()
}

const payload = { title: 'value', styles: 'list' } as const

test('every item of the catalogue is published: trained, folded in, or by its features; the rest is counted', async () => {
  const { model, loaded, rare } = await makeShop()
  const vocabulary = model.itemFeatures!.vocabulary!
  const catalogue = new WholeCatalogue({ vocabulary, payload, directory: folder })
  // Not in the order of the ids; item 30 is not in the catalogue.
  const trained = Array.from({ length: items }, (_, row) => 10 * row).filter((id) => id !== 30)
  for (const id of trained.toReversed()) catalogue.add(id, recordOf(id / 10))
  for (const id of Array.from(rare.itemIds)) catalogue.add(id, recordOf((id - 5) / 10))
  for (let n = 0; n < 50; n++) catalogue.add(5000 + n, recordOf(n))
  catalogue.add(6000, { title: 'Unheard of', styles: ['no style of theirs'], year: null })
  catalogue.add(5001, recordOf(3))
  catalogue.finish(loaded)
  const withEntries = rare.interactionCounts.filter((count) => count > 0).length
  expect(withEntries).toBeLessThan(30)
  expect(catalogue.length).toBe(items + 30 + 50)
  expect([catalogue.unplaced, catalogue.repeated]).toEqual([1, 1])
  const of = (evidence: string) =>
    Array.from({ length: catalogue.length }, (_, row) => row).filter((row) => catalogue.evidence(row) === evidence)
  expect(of('trained')).toHaveLength(items)
  expect(of('rare')).toHaveLength(withEntries)
  expect(of('new')).toHaveLength(50 + 30 - withEntries)
  const ids = Array.from({ length: catalogue.length }, (_, row) => catalogue.id(row) as number)
  expect(ids).toEqual(ids.toSorted((a, b) => a - b))
  for (const id of [0, 30, 5000, 5049]) expect(ids[catalogue.rowOf(id)!]).toBe(id)
  expect(catalogue.rowOf(6000)).toBeUndefined()
  expect(catalogue.payload(catalogue.rowOf(30)!)).toMatchObject({
    item_id: 30,
    title: null,
    styles: [],
    evidence: 'trained',
  })
  expect(catalogue.payload(catalogue.rowOf(5001)!)).toEqual({
    item_id: 5001,
    title: 'Title 1',
    styles: ['style 1'],
    interaction_count: 0,
    evidence: 'new',
  })

  const configuration = {
    qdrant: { vectors: 'both', users: true },
    training: { factors: 16, popularityExponent: 0.25 },
  }
  const { signal } = new AbortController()
  const served = await serveCatalogue({ ...configuration, threads: 2 } as never, model, catalogue, { rare }, signal)
  const server = await startStandIn()
  const index = new Index({ url: server.url, alias: 'shop' })
  try {
    const stream = served.items as Extract<typeof served.items, { batches: unknown; named: unknown }>
    const folded = await foldInItems(model, rare.matrix, {
      threads: 1,
      features: rowsOf(
        vocabulary,
        Array.from(rare.itemIds, (id) => recordOf((id - 5) / 10)),
      ),
    })
    // From any row on, the vectors are those of the evidence.
    for (const start of [0, 7, catalogue.length - 1]) {
      for await (const { ids, named } of stream.batches(start)) {
        expect(ids.length).toBe(catalogue.length - start)
        for (let n = 0; n < ids.length; n++) {
          const row = start + n
          const place = catalogue.place(row)
          const evidence = catalogue.evidence(row)
          const expected =
            evidence === 'trained'
              ? model.itemFactors.subarray(16 * place, 16 * place + 16)
              : evidence === 'rare'
                ? folded.subarray(16 * place, 16 * place + 16)
                : vectorFor(model, catalogue.values(row))
          expect(named.similar!.slice(16 * n, 16 * n + 16)).toEqual(Float32Array.from(expected))
        }
      }
    }
    await publish({
      url: server.url,
      alias: 'shop',
      vectors: served.items,
      users: { vectors: served.users! },
      payloads: (row) => ({ ...catalogue.payload(row) }),
      pollInterval: 10,
    })
    // A release without interactions is among the answers, and what it is near to is of its style.
    const near = await index.query(similar(5001, { using: 'similar', limit: 20 }))
    expect(near.every(({ payload }) => (payload.styles as string[])[0] === 'style 1')).toBe(true)
    const found = await index.query(similar(10, { using: 'similar', limit: 60 }))
    expect(new Set(found.map(({ payload }) => payload.evidence))).toEqual(new Set(['trained', 'rare', 'new']))
  } finally {
    await index.close()
    await served.close?.()
    await server.close()
    catalogue.close()
  }
})

test('ids that are strings are in the order of their UTF-8 bytes', () => {
  const { vocabulary } = featuresFrom([{ a: 1 }, { a: 1 }, { a: 2 }], { fields: { a: 'values' }, minimumItems: 1 })
  const catalogue = new WholeCatalogue({ vocabulary: vocabulary!, payload, directory: folder })
  const ids = ['b', '😀', '\ufffd', 'a', 'é', 'ab']
  for (const id of ids) catalogue.add(id, { a: 1 })
  catalogue.finish({ itemIds: ['ab', 'zz'], interactionCounts: new Uint32Array(new SharedArrayBuffer(8)) })
  const sorted = Array.from({ length: catalogue.length }, (_, row) => catalogue.id(row) as string)
  expect(sorted).toEqual([...ids, 'zz'].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
  expect(catalogue.evidence(catalogue.rowOf('zz')!)).toBe('trained')
  catalogue.close()
})
