import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { startFauxqs } from 'fauxqs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadInteractions, readItems } from '../src/index.ts'
import { int32, pairColumns, parquetBytes, signals } from './parquet-files.ts'
import { linesOf, referenceLoad } from './reference.ts'

let server: Awaited<ReturnType<typeof startFauxqs>>
let client: S3Client
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const rows = signals(20_000, 300, 200, 7)

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false })
  client = new S3Client({ endpoint: server.address, region: 'us-east-1', credentials, forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket: 'shop' }))
  for (let part = 0; part < 5; part++) {
    const body = parquetBytes(pairColumns(rows.slice(part * 4000, (part + 1) * 4000)))
    await client.send(new PutObjectCommand({ Bucket: 'shop', Key: `haves/day=${part}/part.parquet`, Body: body }))
  }
  const releases = parquetBytes([
    int32(
      'release_id',
      Array.from({ length: 300 }, (_, id) => id),
    ),
    { name: 'title', data: Array.from({ length: 300 }, (_, id) => `Release ${id}`), type: 'STRING' },
  ])
  await client.send(new PutObjectCommand({ Bucket: 'shop', Key: 'releases.parquet', Body: releases }))
})

afterAll(async () => {
  client.destroy()
  await server.stop()
})

test('objects under a prefix load by ranged reads', async () => {
  const s3 = { endpoint: server.address, credentials }
  const loaded = await loadInteractions({
    sources: [{ name: 'haves', uri: 's3://shop/haves/' }],
    thresholds: { user: 20, item: 50 },
    s3,
    threads: 2,
  })
  const weighted = rows.map((row) => ({ ...row, value: 3 }))
  expect(linesOf(loaded)).toEqual(referenceLoad(weighted, { user: 20, item: 50 }))
  const titles: unknown[] = []
  for await (const { row, id, values } of readItems({
    source: 's3://shop/releases.parquet',
    ids: loaded.itemIds,
    s3,
  })) {
    expect(loaded.itemIds.at(row)).toBe(id)
    titles.push(values.title)
  }
  expect(titles).toEqual(Array.from(loaded.itemIds as Uint32Array, (id) => `Release ${id}`))
})
