import { expect, test } from 'vitest'
import { type Batch, type BatchOptions, halves, makeBatches } from '../src/publish/batch.ts'

const options: BatchOptions = {
  name: 'vectors',
  vectors: {
    ids: [7, 2n ** 60n, '936da01f-9abd-4d9d-80c7-02af85c822a8'],
    data: Float32Array.of(1, 2, 3, 4, 5, 6),
    dimension: 2,
  },
  payloads: (row) => ({ row, text: 'Σ"' }),
  vectorNames: undefined,
  start: 0,
  batchSize: 2,
  maxBatchBytes: 1e6,
  onRow() {},
}

test('points are written as the client would write them', async () => {
  const [first, second, ...others] = await batches()
  expect([first.from, first.to, second.from, second.to, others.length]).toEqual([0, 2, 2, 3, 0])
  expect(first.body.toString()).toBe(
    '{"points":[{"id":7,"vector":[1.0000000,2.0000000],"payload":{"row":0,"text":"Σ\\""}},' +
      '{"id":1152921504606846976,"vector":[3.0000000,4.0000000],"payload":{"row":1,"text":"Σ\\""}}]}',
  )
  const [named] = await batches({ vectorNames: ['a', '"b"'], payloads: undefined, start: 2 })
  expect(JSON.parse(named.body.toString())).toEqual({
    points: [{ id: '936da01f-9abd-4d9d-80c7-02af85c822a8', vector: { a: [5, 6], '"b"': [5, 6] } }],
  })
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

test('a payload that JSON cannot hold is named', async () => {
  await expect(batches({ payloads: (row) => ({ row: BigInt(row) }) })).rejects.toThrow(
    /payload of vectors .* row 0 \(id 7\).*BigInt.*numbers or strings/,
  )
})

async function batches(change: Partial<BatchOptions> = {}): Promise<Batch[]> {
  const found: Batch[] = []
  for await (const batch of makeBatches({ ...options, ...change })) found.push(batch)
  return found
}

function points(batch: Batch): unknown[] {
  return JSON.parse(batch.body.toString()).points
}
