import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type AlsModel, loadModel, type ModelStream, type SideBatch, saveModel, saveModelStream } from '../src/index.ts'

const factors = 5
const options = { factors } as AlsModel['options']

function drawn(rows: number, seed: number): Float32Array<SharedArrayBuffer> {
  const data = new Float32Array(new SharedArrayBuffer(4 * rows * factors))
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(seed + i)
  return data
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'model-stream-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Batches of `size` rows that use one memory again and again. */
async function* batchesOf(
  data: Float32Array,
  size: number,
  ids?: (number | bigint | string)[],
  counts?: Uint32Array,
): AsyncGenerator<SideBatch> {
  const rows = data.length / factors
  const memory = new Float32Array(size * factors)
  for (let from = 0; from < rows; from += size) {
    const to = Math.min(rows, from + size)
    memory.set(data.subarray(from * factors, to * factors))
    yield {
      data: memory.subarray(0, (to - from) * factors),
      ...(ids && { ids: ids.slice(from, to) }),
      ...(counts && { numbers: { interaction_count: counts.subarray(from, to) } }),
    }
    memory.fill(Number.NaN)
  }
}

describe('a model saved as a stream is the one saved as a whole', () => {
  const [users, items] = [101, 47]
  const userFactors = drawn(users, 1)
  const itemFactors = drawn(items, 2)
  const userIds = Array.from({ length: users }, (_, row) => 3 * row + 2 ** 40)
  const itemIds = Array.from({ length: items }, (_, row) => `item ${row}`)
  const interactionCounts = Uint32Array.from({ length: items }, (_, row) => row * row)
  const whole: AlsModel = {
    factors,
    users,
    items,
    userFactors,
    itemFactors,
    userIds,
    itemIds,
    interactionCounts,
    options,
    history: [],
    userRegularization: 0.25,
  }

  test.each([1, 7, 47, 101, 1000])('in batches of %s', async (size) => {
    const folder = temporaryFolder()
    await saveModel(whole, join(folder, 'whole'))
    const stream: ModelStream = {
      factors,
      options,
      userRegularization: 0.25,
      users: batchesOf(
        userFactors,
        size,
        userIds.map((id) => (id % 2 === 0 ? BigInt(id) : id)),
      ),
      items: batchesOf(itemFactors, size, itemIds, interactionCounts),
    }
    await saveModelStream(stream, join(folder, 'stream'))
    expect(await loadModel(join(folder, 'stream'))).toEqual(await loadModel(join(folder, 'whole')))
  })

  test('without ids and counts, and with no rows at all', async () => {
    const folder = temporaryFolder()
    await saveModelStream({ factors, options, users: batchesOf(userFactors, 10), items: [] }, folder)
    const loaded = await loadModel(folder)
    expect([loaded.users, loaded.items, loaded.userIds, loaded.itemIds]).toEqual([101, 0, undefined, undefined])
    expect(loaded.userFactors).toEqual(userFactors)
  })

  test.each<[string, SideBatch[], RegExp]>([
    [
      'NaN',
      [{ data: drawn(3, 1) }, { data: drawn(2, 1).with(7, Number.NaN) }],
      /items: row 4 holds NaN, expected finite numbers. The model was not saved/,
    ],
    [
      'half a row',
      [{ data: new Float32Array(7) }],
      /items: the batch from row 0 on has 7 values, expected a multiple of 5/,
    ],
    ['fewer ids than rows', [{ data: drawn(3, 1), ids: [1, 2] }], /has 15 values, expected 2 ids × 5 factors/],
    [
      'ids of two kinds',
      [
        { data: drawn(1, 1), ids: [1] },
        { data: drawn(1, 1), ids: ['a'] },
      ],
      /from row 1 on has ids string, expected integer, as in the first/,
    ],
    [
      'ids in one batch only',
      [{ data: drawn(1, 1), ids: [1] }, { data: drawn(1, 1) }],
      /has ids none, expected integer/,
    ],
    [
      'counts in one batch only',
      [{ data: drawn(1, 1) }, { data: drawn(1, 1), numbers: { interaction_count: [1] } }],
      /has counts interaction_count, expected none/,
    ],
    [
      'an id beyond 2^53',
      [{ data: drawn(2, 1), ids: [1n, 2n ** 53n] }],
      /items: row 1 has the id 9007199254740992, expected an integer below 2\^53/,
    ],
  ])('%s is refused, and the directory keeps the model it had', async (_, batches, message) => {
    const folder = temporaryFolder()
    await saveModel(whole, folder)
    const before = readdirSync(folder).sort()
    const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8')
    await expect(saveModelStream({ factors, options, users: [], items: batches }, folder)).rejects.toThrow(message)
    expect(readdirSync(folder).sort()).toEqual(before)
    expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toBe(manifest)
  })
})
