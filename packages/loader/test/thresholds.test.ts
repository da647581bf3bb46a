import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadInteractions } from '../src/index.ts'
import { int32, temporaryFolder, writeParquet } from './parquet-files.ts'
import { isTransposed } from './reference.ts'

const folder = temporaryFolder()

/**
 * Every size at which the loader does something else, and what: a load below, at and above it must give the same. The
 * growth of hash tables (2,458, 4,916 ... keys) has a test of its own, key-table.test.ts.
 */
const thresholds = [
  { name: 'rows of a chunk (4,096)', sizes: [4095, 4096, 4097], rows: (n: number) => n },
  { name: 'rows of a batch of the decoder (65,536)', sizes: [65_535, 65_536, 65_537], rows: (n: number) => n },
  { name: 'entries of a bucket (65,536)', sizes: [65_535, 65_537], rows: (n: number) => n, users: () => 64 },
  { name: 'rows of a task of its own (131,072)', sizes: [131_071, 131_073], rows: (n: number) => n },
  { name: 'ids of a word of ranks (32)', sizes: [31, 32, 33], users: (n: number) => n, items: (n: number) => n },
  { name: 'users of a group (64)', sizes: [63, 64, 65], users: (n: number) => n },
  {
    name: 'ids counted at a time, users of a bucket (65,536)',
    sizes: [65_535, 65_536, 65_537, 65_601],
    users: (n: number) => n,
  },
  { name: 'items of one per group (32,768)', sizes: [32_767, 32_768, 32_769], items: (n: number) => n },
] as const satisfies readonly Threshold[]

interface Threshold {
  name: string
  sizes: readonly number[]
  /** Rows, users and items at a size. */
  rows?: (n: number) => number
  users?: (n: number) => number
  items?: (n: number) => number
}

describe.each(thresholds as readonly Threshold[])('$name', ({ name, sizes, rows, users, items }) => {
  test.each(sizes)('%i', async (size) => {
    const userCount = users?.(size) ?? 700
    const itemCount = items?.(size) ?? 3000
    const count = rows?.(size) ?? Math.max(userCount, itemCount)
    // Every pair once: the larger side goes round and round, the other moves on with each round.
    const pairs: number[] = []
    for (let n = 0; n < count; n++) {
      const [large, small] = [Math.max(userCount, itemCount), Math.min(userCount, itemCount)]
      const [first, second] = [n % large, (Math.floor(n / large) + 13 * (n % large)) % small]
      pairs.push(userCount >= itemCount ? first * itemCount + second : second * itemCount + first)
    }
    // In an order that is neither that of users nor that of items.
    const keys = pairs.sort((a, b) => ((a * 7) % 10_007) - ((b * 7) % 10_007))
    const uri = writeParquet(
      join(folder, `${name.replaceAll(/\W/g, '')}-${size}.parquet`),
      [
        int32(
          'user_id',
          keys.map((key) => Math.floor(key / itemCount)),
        ),
        int32(
          'item_id',
          keys.map((key) => key % itemCount),
        ),
      ],
      { rowGroupSize: size > 100_000 ? 50_000 : 200_000 },
    )
    const { matrix, userIds, itemIds } = await loadInteractions({
      sources: [{ name: 'haves', uri }],
      thresholds: { user: 1, item: 1 },
      threads: 2,
    })
    const found: number[] = []
    for (let user = 0; user < matrix.users; user++) {
      for (let e = matrix.csr.indptr[user]; e < matrix.csr.indptr[user + 1]; e++) {
        found.push((userIds.at(user) as number) * itemCount + (itemIds.at(matrix.csr.indices[e]) as number))
      }
    }
    // A typed array compares fast.
    expect(Buffer.from(Float64Array.from(found).buffer).equals(sorted(keys))).toBe(true)
    expect(isTransposed(matrix)).toBe(true)
  })
})

test.each([255, 256, 257])('%i different confidences', async (size) => {
  const values = Array.from({ length: 3 * size }, (_, n) => 1 + (n % size))
  const rows = values.map((_, n) => n)
  const uri = writeParquet(join(folder, `codes-${size}.parquet`), [
    int32('user_id', rows),
    int32(
      'item_id',
      rows.map((n) => n % 5),
    ),
    int32('plays', values),
  ])
  for (const confidence of [
    { column: 'plays', values: new Map(values.map((value) => [value, value])) },
    { column: 'plays', weight: 'linear' },
  ] as const) {
    const { matrix } = await loadInteractions({
      sources: [{ name: 'plays', uri, confidence }],
      thresholds: { user: 1, item: 1 },
      threads: 1,
    })
    expect(matrix.codebook?.length).toBe(size <= 256 ? size : undefined)
    const { codebook, csr } = matrix
    expect(Array.from(csr.values, (value) => (codebook === undefined ? value : codebook[value]))).toEqual(values)
  }
})

function sorted(keys: readonly number[]): Buffer {
  return Buffer.from(Float64Array.from(keys).sort().buffer)
}
