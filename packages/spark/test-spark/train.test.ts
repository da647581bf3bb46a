import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { type AlsModel, evaluate, foldInUsers, type InteractionMatrix, matrixFromTriplets } from '@seesaw/als-core'
import { type LoadedInteractions, loadInteractions, readItems } from '@seesaw/loader'
import { startFauxqs } from 'fauxqs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type SparkModel, type SparkProgress, trainOnSpark } from '../src/index.ts'
import { counted, shopSources, writeShop } from './shop.ts'
import { absent, sparkOptions, temporaryFolder } from './spark.ts'

const s3a = inject('s3a')
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const factors = 8
const training = { factors, iterations: 4, regularization: 0.05, alpha: 1.5, seed: 7 }

describe.skipIf(absent || 'missing' in s3a)('trainOnSpark, from S3 to S3', () => {
  const folder = temporaryFolder()
  const progress: SparkProgress[] = []
  let server: Awaited<ReturnType<typeof startFauxqs>>
  let client: S3Client
  let model: SparkModel
  let loaded: LoadedInteractions
  let known: Awaited<ReturnType<typeof readHeldOut>>

  beforeAll(async () => {
    server = await startFauxqs({ port: 0, logger: false })
    client = new S3Client({ endpoint: server.address, region: 'us-east-1', credentials, forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket: 'shop' }))
    writeShop(folder, { user: (n) => 1_000_000 + 13 * n, item: (n) => 7 * n }, 2)
    await upload(client, folder)
    const sources = shopSources((name) => `s3://shop/${name}/`)
    const thresholds = { user: 10, item: 20 }
    const s3 = { endpoint: server.address, credentials }
    model = await trainOnSpark({
      sources,
      thresholds,
      ...training,
      holdOut: 0.2,
      heldOutUsers: 100,
      blocks: 3,
      directory: 's3://shop/out/tonight',
      spark: sparkOptions({ jars: 'jars' in s3a ? s3a.jars : [] }),
      s3,
      onProgress: (each) => progress.push(each),
    })
    loaded = await loadInteractions({ sources, thresholds, s3, threads: 2 })
    known = await readHeldOut()
  })
  afterAll(async () => {
    client?.destroy()
    await server?.stop()
  })

  const read = async (uri: string, ids: LoadedInteractions['userIds']) => {
    const s3 = { endpoint: server.address, credentials }
    const data = new Float32Array(new SharedArrayBuffer(4 * factors * ids.length))
    const counts = new Uint32Array(ids.length)
    let seen = 0
    for await (const { row, values } of readItems({ source: uri, ids, id: 'id', s3 })) {
      // In ascending order, and of the row that the loader gives the id.
      expect(row).toBe(seen++)
      expect(values.row).toBe(row)
      data.set(values.vector as number[], row * factors)
      counts[row] = values.interaction_count as number
    }
    expect(seen).toBe(ids.length)
    return { data, counts }
  }

  test('counts and the sum of confidences are the loader’s', () => {
    const { stats, matrix } = loaded
    expect(model).toMatchObject({
      entries: stats.entries,
      users: counted(stats.users),
      items: counted(stats.items),
      resumed: false,
    })
    const sum = Array.from(matrix.csr.values, (code) => matrix.codebook![code]).reduce((a, b) => a + b, 0)
    expect(model.confidenceSum).toBe(sum)
    expect(model).toMatchObject({
      ...training,
      usersAt: 's3://shop/out/tonight/users',
      spark: expect.stringMatching(/^4\./),
    })
  })

  test('the users are those that foldInUsers finds from Spark’s items, below 1e-5; with scaling none they are not', async () => {
    const users = await read(model.usersAt, loaded.userIds)
    const items = await read(model.itemsAt, loaded.itemIds)
    expect(Array.from(items.counts)).toEqual(Array.from(loaded.interactionCounts))
    const als = (regularizationScaling: 'count' | 'none') =>
      ({
        factors,
        users: known.users.length,
        items: loaded.matrix.items,
        userFactors: new Float32Array(new SharedArrayBuffer(0)),
        itemFactors: items.data,
        options: { ...training, objective: 'hkv', regularizationScaling, unobservedWeight: 1, solver: 'cholesky' },
        history: [],
      }) as unknown as AlsModel
    const expected = new Float32Array(known.users.length * factors)
    for (const [i, row] of known.users.entries()) {
      expected.set(users.data.subarray(row * factors, (row + 1) * factors), i * factors)
    }
    const difference = async (scaling: 'count' | 'none') => {
      const found = await foldInUsers(als(scaling), known.train, { threads: 2, solver: 'cholesky' })
      return norm(found.map((value, i) => value - expected[i])) / norm(expected)
    }
    expect(known.users.length).toBe(100)
    expect(await difference('count')).toBeLessThan(1e-5)
    expect(await difference('none')).toBeGreaterThan(1e-3)
  })

  test('what is held out is found again by our own evaluate, better than by chance', async () => {
    const items = await read(model.itemsAt, loaded.itemIds)
    const total = known.train.entries + known.test.entries
    expect(known.test.entries / total).toBeGreaterThan(0.15)
    expect(known.test.entries / total).toBeLessThan(0.25)
    const userFactors = new Float32Array(new SharedArrayBuffer(4 * known.vectors.length))
    userFactors.set(known.vectors)
    const { at } = await evaluate(
      {
        factors,
        users: 100,
        items: loaded.matrix.items,
        userFactors,
        itemFactors: items.data,
        options: training,
        history: [],
      } as never,
      { train: known.train, test: known.test, k: [20], threads: 2 },
    )
    expect(at[20].users).toBe(100)
    expect(at[20].recall).toBeGreaterThan((1.5 * 20) / loaded.matrix.items)
  })

  test('progress goes through the phases in order, to the end of the iterations', () => {
    expect([...new Set(progress.map(({ phase }) => phase))]).toEqual([
      'start',
      'plan',
      'count users',
      'count items',
      'merge',
      'train',
      'write',
      'held out',
    ])
    const iterations = progress.filter(({ phase }) => phase === 'train').map(({ done }) => done)
    expect(iterations).toEqual([...iterations].sort((a, b) => a - b))
    expect(iterations.at(-1)).toBe(training.iterations)
    expect(progress.find(({ phase }) => phase === 'train')!.unit).toBe('iterations')
  })

  test('the manifest is written last, and nothing else is left', async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'shop', Prefix: 'out/' }))
    const keys = Contents.map(({ Key }) => Key!.slice('out/tonight/'.length)).filter((key) => !key.endsWith('/'))
    const folders = new Set(keys.map((key) => key.replace(/\/[^/]*$/, '')))
    expect([...folders].sort()).toEqual([
      'entries',
      'entries.json',
      'held-out/entries',
      'held-out/users',
      'ids/items',
      'ids/users',
      'items',
      'manifest.json',
      'users',
    ])
    const times = Contents.map(({ LastModified }) => LastModified!.getTime())
    const manifest = Contents.find(({ Key }) => Key!.endsWith('/manifest.json'))!
    expect(manifest.LastModified!.getTime()).toBe(Math.max(...times))
    const { Body } = await client.send(new GetObjectCommand({ Bucket: 'shop', Key: manifest.Key }))
    expect(JSON.parse(await Body!.transformToString())).toMatchObject({
      format: 1,
      entries: model.entries,
      objective: 'hkv',
    })
  })

  /** Users with something held out: their rows, their vectors, and both sides of their entries. */
  async function readHeldOut() {
    const s3 = { endpoint: server.address, credentials }
    const { entries, users } = model.heldOutAt!
    const side = (held: boolean) => ({
      name: `${held}`,
      uri: entries,
      user: 'user_row',
      item: 'item_row',
      confidence: { column: 'held_out', values: { [held ? 1 : 0]: 1 } },
    })
    const load = (held: boolean) =>
      loadInteractions({ sources: [side(held)], thresholds: { user: 1, item: 1 }, s3, threads: 1 })
    const known = await load(false)
    const held = await load(true)
    const all = { ...side(false), name: 'all', confidence: { column: 'value', weight: 'linear' as const } }
    const values = await loadInteractions({ sources: [all], thresholds: { user: 1, item: 1 }, s3, threads: 1 })
    const rows = Array.from({ length: values.userIds.length }, (_, row) => values.userIds.at(row) as number)
    const place = new Map(rows.map((row, i) => [row, i]))
    const matrixOf = (side: LoadedInteractions): InteractionMatrix => {
      const triplets = { rows: [] as number[], columns: [] as number[], values: [] as number[] }
      for (const [user, item] of pairs(side)) {
        triplets.rows.push(place.get(user)!)
        triplets.columns.push(item)
        triplets.values.push(valueByPair.get(`${user} ${item}`)!)
      }
      return matrixFromTriplets({ users: rows.length, items: loaded.matrix.items, ...triplets } as never)
    }
    const valueByPair = new Map(pairs(values).map(([user, item, value]) => [`${user} ${item}`, value]))
    const vectors = new Float32Array(rows.length * factors)
    let seen = 0
    for await (const { row, values: columns } of readItems({
      source: users,
      ids: Float64Array.from(rows) as never,
      id: 'row',
      s3,
    })) {
      vectors.set(columns.vector as number[], row * factors)
      seen++
    }
    expect(seen).toBe(rows.length)
    return { users: rows, train: matrixOf(known), test: matrixOf(held), vectors }
  }
})

function pairs({ matrix, userIds, itemIds }: LoadedInteractions): [user: number, item: number, value: number][] {
  const { csr, codebook } = matrix
  const list: [number, number, number][] = []
  for (let user = 0; user < matrix.users; user++) {
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      const value = codebook ? codebook[csr.values[e]] : csr.values[e]
      list.push([userIds.at(user) as number, itemIds.at(csr.indices[e]) as number, value])
    }
  }
  return list
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
}

async function upload(client: S3Client, folder: string): Promise<void> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    await client.send(new PutObjectCommand({ Bucket: 'shop', Key: relative(folder, path), Body: readFileSync(path) }))
  }
}
