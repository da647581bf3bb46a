import { expect, test } from 'vitest'
import { type Batch, halves, makeBatches } from '../src/points/batch.ts'
import { type IdField, PayloadReader, type Payloads } from '../src/points/payload.ts'
import { pointSource } from '../src/points/source.ts'
import type { VectorInput, Vectors } from '../src/points/vectors.ts'

const vectors: Vectors = {
  ids: [7, 2n ** 60n, '936da01f-9abd-4d9d-80c7-02af85c822a8'],
  data: Float32Array.of(1, 2, 3, 4, 5, 6),
  dimension: 2,
  distance: 'Dot',
}

test('points are written as the client would write them', async () => {
  const [first, second, ...others] = await batches()
  expect([first.from, first.to, second.from, second.to, others.length]).toEqual([0, 2, 2, 3, 0])
  expect(first.ids).toEqual([7, 2n ** 60n])
  expect(first.body.toString()).toBe(
    '{"points":[{"id":7,"vector":[1.0000000,2.0000000],"payload":{"row":0,"text":"Σ\\""}},' +
      '{"id":1152921504606846976,"vector":[3.0000000,4.0000000],"payload":{"row":1,"text":"Σ\\""}}]}',
  )
})

test('several vectors of a point, each with its own data, dimension and length', async () => {
  const named = {
    a: { data: Float32Array.of(3, 4, 0, 0, 1e-5, 0), dimension: 2 },
    '"b"': { data: Float32Array.of(7, 8, 9), dimension: 1, distance: 'Dot' as const },
  }
  const [all] = await batches({ vectors: { ids: [1, 2, 3], named }, batchSize: 3, payloads: undefined })
  expect(points(all)).toEqual([
    { id: 1, vector: { a: [expect.closeTo(0.6, 7), expect.closeTo(0.8, 7)], '"b"': [7] } },
    { id: 2, vector: { a: [0, 0], '"b"': [8] } },
    { id: 3, vector: { a: [1, 0], '"b"': [9] } },
  ])
})

test('strings become UUIDs, and the payload keeps what they were', async () => {
  const ids = ['release/1', '936DA01F9ABD4D9D80C702AF85C822A8', 3]
  const idField: IdField = { name: 'item_id', always: false }
  const [all] = await batches({ vectors: { ...vectors, ids }, idField, batchSize: 3, payloads: () => ({ a: 1 }) })
  expect(points(all)).toMatchObject([
    { id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5/), payload: { item_id: 'release/1', a: 1 } },
    { id: '936da01f-9abd-4d9d-80c7-02af85c822a8', payload: { item_id: ids[1], a: 1 } },
    { id: 3, payload: { a: 1 } },
  ])
  const [bare] = await batches({
    vectors: { ...vectors, ids },
    idField: { name: 'key', always: true },
    batchSize: 3,
    payloads: [{ key: 'own' }, {}, {}],
  })
  expect(points(bare)).toMatchObject([
    { payload: { key: 'own' } },
    { payload: { key: ids[1] } },
    { payload: { key: 3 } },
  ])
})

test('halves hold the same points', async () => {
  const [all] = await batches({ batchSize: 3 })
  const parts = halves(all)
  expect(parts.map(({ from, to, ends }) => [from, to, ends.length])).toEqual([
    [0, 1, 1],
    [1, 3, 2],
  ])
  expect(parts.flatMap(points)).toEqual(points(all))
  expect(halves(parts[1]).flatMap(points)).toEqual(points(parts[1]))
})

test('no body is larger than allowed, unless one point is', async () => {
  const long = (row: number): { text: string } => ({ text: 'x'.repeat(row === 2 ? 9000 : 40) })
  const data = new Float32Array(20)
  const ids = Array.from({ length: 10 }, (_, row) => row)
  const found = await batches({
    vectors: { ids, data, dimension: 2 },
    payloads: long,
    batchSize: 10,
    maxBatchBytes: 280,
  })
  expect(found.map(({ from, to }) => [from, to])).toEqual([
    [0, 2],
    [2, 3],
    [3, 6],
    [6, 9],
    [9, 10],
  ])
  for (const batch of found) if (batch.from !== 2) expect(batch.body.length).toBeLessThanOrEqual(280)
})

interface Change {
  vectors?: VectorInput
  payloads?: Payloads | undefined
  idField?: IdField
  batchSize?: number
  maxBatchBytes?: number
}

async function batches(change: Change = {}): Promise<Batch[]> {
  const { batchSize = 2, maxBatchBytes = 1e6, idField } = change
  const source = pointSource('vectors', change.vectors ?? vectors, 'float32')
  const payloads = 'payloads' in change ? change.payloads : (row: number) => ({ row, text: 'Σ"' })
  const reader = new PayloadReader('vectors', source.points, payloads)
  const found: Batch[] = []
  const options = { source, payloads: reader, idField, start: 0, batchSize, maxBatchBytes, onPoint() {} }
  for await (const batch of makeBatches(options)) found.push(batch)
  return found
}

function points(batch: Batch): unknown[] {
  return JSON.parse(batch.body.toString()).points
}
