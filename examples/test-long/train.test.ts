import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QdrantClient } from '@qdrant/js-client-rest'
import { type AlsModel, evaluate, type InteractionMatrix, loadModel, matrixFromTriplets } from '@seesaw/als-core'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { amazonCds, type Pairs, uploadHaves } from '../test/amazon-cds.ts'
import { type Gate, startGate } from '../test/gate.ts'
import { Program } from '../test/program.ts'

const bucket = 'record-shop'

if (!amazonCds.present) console.warn('Skipped: train.ts on Amazon CDs, since ../shared/data/amazon-cds is not there.')

describe.skipIf(!amazonCds.present)('train.ts on CDs and vinyl bought at Amazon, from S3', () => {
  let s3: FauxqsServer
  let folder: string
  let known: Pairs

  beforeAll(async () => {
    s3 = await startFauxqs({ port: 0, logger: false })
    s3.createBucket(bucket)
    folder = await mkdtemp(join(tmpdir(), 'train-'))
    known = await amazonCds.train()
    await uploadHaves(endpoint(), bucket, known, 3)
  })
  afterAll(async () => {
    await s3?.stop()
    if (folder) await rm(folder, { recursive: true })
  })
  const endpoint = () => `http://127.0.0.1:${s3.port}`

  /** The whole data, and a model of the iALS kind: quick, and near the published results. */
  const environment = (name: string, more: Record<string, string> = {}): Record<string, string> => ({
    HAVES: `s3://${bucket}/haves/`,
    S3_ENDPOINT: endpoint(),
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
    SAMPLE_FRAC_HAVES: '1',
    MIN_USER_INTERACTIONS: '1',
    MIN_ITEM_INTERACTIONS: '1',
    VECTOR_DIM: '128',
    ITERATIONS: '6',
    OBJECTIVE: 'ials',
    // A have counts 3.0.
    ALPHA: '0.3333333333333333',
    UNOBSERVED_WEIGHT: '0.01',
    REGULARIZATION: '0.005',
    REGULARIZATION_SCALING: '1',
    THREADS: '2',
    OUTPUT_DIR: join(folder, name),
    ...more,
  })

  test('finds 13 % of what people bought next: Recall@20 on the published test split', async () => {
    const program = new Program('train.ts', environment('whole'))
    expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
    expect(program.stdout).toMatch(/HAVES +s3:\/\/record-shop\/haves\//)
    expect(program.stdout).toContain('604,475')
    const model = await loadModel(join(folder, 'whole'))
    expect([model.users, model.items]).toEqual([43_169, 35_648])
    const { at } = await evaluate(model, {
      train: toMatrix(known, model),
      test: toMatrix(await amazonCds.test(), model),
      k: [20],
      threads: 2,
    })
    console.log(
      `Amazon CDs, k=128, 6 iterations: Recall@20 ${at[20].recall.toFixed(4)}, NDCG@20 ${at[20].ndcg.toFixed(4)}`,
    )
    expect(at[20].users).toBeGreaterThan(43_000)
    expect(at[20].recall).toBeGreaterThanOrEqual(0.13)
    expect(at[20].ndcg).toBeGreaterThanOrEqual(0.0811)
  })

  describe('SIGTERM', () => {
    let gate: Gate | undefined
    afterEach(async () => {
      await gate?.close()
      gate = undefined
    })

    test('while it loads: exit code 143, no model', async () => {
      // Holds the first bytes of data, so that the load is under way for as long as it takes.
      gate = await startGate(endpoint(), ({ method, headers }) => method === 'GET' && headers.range !== undefined)
      const program = new Program('train.ts', environment('load', { S3_ENDPOINT: gate.url }))
      await program.until(gate.held)
      program.kill('SIGTERM')
      await program.says(/SIGTERM: no new work/)
      gate.open()
      expect(await program.end(), program.stderr).toEqual({ code: 143, signal: null })
      expect(program.stderr).not.toContain('given up')
      expect(existsSync(join(folder, 'load', 'manifest.json'))).toBe(false)
    })

    test('while it trains: exit code 143, no model', async () => {
      const program = new Program('train.ts', environment('train', { ITERATIONS: '10000' }))
      await program.says(/train +iterations +\d/)
      program.kill('SIGTERM')
      expect(await program.end(), program.stderr).toEqual({ code: 143, signal: null })
      expect(program.stderr).not.toContain('given up')
      // What it did is told; a model there is none.
      expect(readdirSync(join(folder, 'train')).sort()).toEqual(['report.html', 'report.json'])
    })

    test('while it publishes: exit code 143, the alias where it was, nothing of the new collection', async () => {
      const qdrant = await startStandIn()
      const client = new QdrantClient({ url: qdrant.url, checkCompatibility: false })
      try {
        await client.createCollection('yesterday', { vectors: { size: 4, distance: 'Cosine' } })
        const create_alias = { collection_name: 'yesterday', alias_name: 'recommendations' }
        await client.updateCollectionAliases({ actions: [{ create_alias }] })
        // Holds the first batch of points.
        gate = await startGate(qdrant.url, ({ method, url }) => method === 'PUT' && /\/points(\?|$)/.test(url!))
        const program = new Program(
          'train.ts',
          environment('publish', { QDRANT_URL: gate.url, ITERATIONS: '1', VECTOR_DIM: '16', ALLOW_NEW_SHAPE: 'true' }),
        )
        await program.until(gate.held)
        const { collections } = await client.getCollections()
        expect(collections.map(({ name }) => name).filter((name) => name.startsWith('recommendations'))).toHaveLength(1)
        program.kill('SIGTERM')
        await program.says(/SIGTERM: no new work/)
        gate.open()
        expect(await program.end(), program.stderr).toEqual({ code: 143, signal: null })
        expect(program.stderr).not.toContain('given up')
        const { aliases } = await client.getAliases()
        expect(aliases).toContainEqual({ alias_name: 'recommendations', collection_name: 'yesterday' })
        // The publisher's fence may stay, on what serves.
        expect(new Set(aliases.map(({ collection_name }) => collection_name))).toEqual(new Set(['yesterday']))
        expect((await client.getCollections()).collections).toEqual([{ name: 'yesterday' }])
        // The model was complete before: it stays, and is whole.
        expect((await loadModel(join(folder, 'publish'))).items).toBe(35_648)
      } finally {
        await qdrant.close()
      }
    })
  })
})

/** Pairs of original ids as a matrix of the rows of a model. */
function toMatrix({ users, items }: Pairs, model: AlsModel): InteractionMatrix {
  const rowsOf = (ids: NonNullable<AlsModel['userIds']>) =>
    new Map(Array.from({ length: ids.length }, (_, row) => [Number(ids.at(row)), row]))
  const userRows = rowsOf(model.userIds!)
  const itemRows = rowsOf(model.itemIds!)
  const kept = Uint32Array.from(users.keys()).filter((pair) => userRows.has(users[pair]) && itemRows.has(items[pair]))
  return matrixFromTriplets({
    users: model.users,
    items: model.items,
    rows: kept.map((pair) => userRows.get(users[pair])!),
    columns: kept.map((pair) => itemRows.get(items[pair])!),
  })
}
