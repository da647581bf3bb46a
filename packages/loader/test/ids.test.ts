import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Dictionary,
  Int32,
  LargeUtf8,
  Table,
  tableToIPC,
  Uint32,
  Uint64,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow'
import type { ColumnSource } from 'hyparquet-writer'
import { Table as WasmTable, writeParquet as writeWasm } from 'parquet-wasm'
import { describe, expect, test } from 'vitest'
import { KeyTable } from '../src/ids/key-table.ts'
import { loadInteractions, StringColumn } from '../src/index.ts'
import { int32, signals, temporaryFolder, writeParquet } from './parquet-files.ts'
import { isTransposed, linesOf, referenceLoad, type WeightedSignal } from './reference.ts'

const folder = temporaryFolder()
const rows = signals(20_000, 400, 300, 21)
const thresholds = { user: 20, item: 40 }
const weighted = (user: (id: number) => number | string, item: (id: number) => number | string): WeightedSignal[] =>
  rows.map((row) => ({ user: user(row.user), item: item(row.item), value: 3 }))
const load = (uri: string, more = {}) =>
  loadInteractions({
    sources: [{ name: 'haves', uri, item: 'release_id', confidence: 3 }],
    thresholds,
    threads: 2,
    ...more,
  })
const bigint = (name: string, values: bigint[]): ColumnSource => ({
  name,
  data: BigInt64Array.from(values),
  type: 'INT64',
})

/** A file as pyarrow would write it: the Arrow schema is stored, so large and dictionary-encoded columns come back so. */
function writeArrow(name: string, columns: Record<string, Vector>): string {
  const path = join(folder, name)
  writeFileSync(path, writeWasm(WasmTable.fromIPCStream(tableToIPC(new Table(columns), 'stream'))))
  return path
}

describe('ids', () => {
  test('of 64 bits up to 2^53 keep their value and their order', async () => {
    const wide = (id: number) => 9007199254740991 - 7919 * id
    const uri = writeParquet(join(folder, 'int64.parquet'), [
      bigint(
        'user_id',
        rows.map((row) => BigInt(wide(row.user))),
      ),
      bigint(
        'release_id',
        rows.map((row) => BigInt(row.item)),
      ),
    ])
    const loaded = await load(uri)
    expect(loaded.plan.users.way).toBe('direct')
    expect(loaded.userIds).toBeInstanceOf(Float64Array)
    expect(linesOf(loaded)).toEqual(
      referenceLoad(
        weighted(wide, (id) => id),
        thresholds,
      ),
    )
  })

  test('too far apart for an array, or without statistics, go through a hash table', async () => {
    const sparse = (id: number) => (id * 2654435761) % 9007199254740881
    const uri = writeParquet(
      join(folder, 'sparse.parquet'),
      [
        bigint(
          'user_id',
          rows.map((row) => BigInt(sparse(row.user))),
        ),
        int32(
          'release_id',
          rows.map((row) => row.item),
        ),
      ],
      { statistics: false },
    )
    const loaded = await load(uri)
    expect([loaded.plan.users.way, loaded.plan.items.way]).toEqual(['table', 'table'])
    expect(linesOf(loaded)).toEqual(
      referenceLoad(
        weighted(sparse, (id) => id),
        thresholds,
      ),
    )
    expect(isTransposed(loaded.matrix)).toBe(true)
  })

  test.each([1, 2])("more than a worker's first table holds are all counted, with %i threads", async (threads) => {
    const users = 5000
    const many = Array.from({ length: 25 * users }, (_, n) => ({ user: (n * 7919) % users, item: n % 399, value: 3 }))
    for (const user of [(id: number) => `user-${id}`, (id: number) => id * 104_729_000_003]) {
      const texts = typeof user(0) === 'string'
      const uri = writeParquet(
        join(folder, texts ? 'many-strings.parquet' : 'many-apart.parquet'),
        [
          texts
            ? { name: 'user_id', data: many.map((row) => user(row.user)), type: 'STRING' }
            : bigint(
                'user_id',
                many.map((row) => BigInt(user(row.user))),
              ),
          int32(
            'release_id',
            many.map((row) => row.item),
          ),
        ],
        { rowGroupSize: 25_000 },
      )
      // Each has exactly as many rows as it needs: one that is not counted is a user that is not there.
      const loaded = await load(uri, { threads, thresholds: { user: 25, item: 1 } })
      expect(loaded.stats.users).toMatchObject({ seen: users, active: users })
      expect(loaded.stats.sources[0].used).toBe(many.length)
      const expected = many.map((row) => ({ ...row, user: user(row.user) }))
      expect(linesOf(loaded)).toEqual(referenceLoad(expected, { user: 25, item: 1 }))
    }
  })

  test('from 2^53 on are an error that names file, column, row group and id', async () => {
    const uri = writeParquet(join(folder, 'huge.parquet'), [
      bigint('user_id', [1n, 2n ** 53n]),
      int32('release_id', [1, 2]),
    ])
    await expect(load(uri)).rejects.toThrow(
      `${uri}: row group 0: column "user_id" holds the id 9007199254740992; ids from 2^53 on cannot be held exactly. ` +
        'Store them as strings.',
    )
  })

  test('as strings come back as they were, in the order of their bytes', async () => {
    const user = (id: number) => `user-${id % 7}-ü${'x'.repeat(id % 13)}${id}`
    const item = (id: number) => (id === 0 ? '' : `i${id}`)
    const uri = writeParquet(join(folder, 'utf8.parquet'), [
      { name: 'user_id', data: rows.map((row) => user(row.user)), type: 'STRING' },
      { name: 'release_id', data: rows.map((row) => item(row.item)), type: 'STRING' },
    ])
    const loaded = await load(uri)
    expect(loaded.userIds).toBeInstanceOf(StringColumn)
    expect(linesOf(loaded)).toEqual(referenceLoad(weighted(user, item), thresholds))
    expect(loaded.userIds.at(-1)).toBe(loaded.userIds.at(loaded.userIds.length - 1))
    expect(loaded.userIds.at(loaded.userIds.length)).toBeUndefined()
  })

  test('as large or dictionary-encoded strings and unsigned numbers are the same ids', async () => {
    const user = (id: number) => `u${id}`
    const uri = writeArrow('arrow.parquet', {
      user_id: vectorFromArray(
        rows.map((row) => user(row.user)),
        new Dictionary(new Utf8(), new Int32()),
      ),
      release_id: vectorFromArray(
        rows.map((row) => row.item),
        new Uint32(),
      ),
    })
    const large = writeArrow('large.parquet', {
      user_id: vectorFromArray(
        rows.map((row) => user(row.user)),
        new LargeUtf8(),
      ),
      release_id: vectorFromArray(
        rows.map((row) => BigInt(row.item)),
        new Uint64(),
      ),
    })
    const expected = referenceLoad(
      weighted(user, (id) => id),
      thresholds,
    )
    expect(linesOf(await load(uri))).toEqual(expected)
    expect(linesOf(await load(large))).toEqual(expected)
  })

  test('that are null or negative are dropped and counted, or refused', async () => {
    const uri = writeParquet(join(folder, 'invalid.parquet'), [
      { name: 'user_id', data: [1, null, 2, 3, 1, 2], type: 'INT32' },
      { name: 'release_id', data: [5, 5, -1, 6, null, 5], type: 'INT32' },
    ])
    const loaded = await load(uri, { thresholds: { user: 1, item: 1 } })
    expect(linesOf(loaded)).toEqual(['1 5 3', '2 5 3', '3 6 3'])
    expect(loaded.stats.sources[0]).toMatchObject({ rows: 6, nullIds: 2, negativeIds: 1, counted: 3 })
    await expect(load(uri, { invalidIds: { null: 'error' } })).rejects.toThrow(/column "user_id" holds a null/)
    await expect(load(uri, { invalidIds: { negative: 'error' } })).rejects.toThrow(
      /column "release_id" holds the negative id -1\. Clean the file, or set invalidIds\.negative to "drop"/,
    )
  })

  test('are named in errors as in their file, where item_id was only the name asked for', async () => {
    const fileOf = (name: string, data: unknown[], type: string) =>
      writeParquet(join(folder, name), [int32('user_id', [1, 2]), { name: 'film_id', data, type } as never])
    const sources = (...uris: string[]) => uris.map((uri, at) => ({ name: `s${at}`, uri }))
    const negative = fileOf('films.parquet', [5, -1], 'INT32')
    await expect(
      loadInteractions({ sources: sources(negative), invalidIds: { negative: 'error' } }),
    ).rejects.toMatchObject({
      column: 'film_id',
      message: expect.stringContaining(`${negative}: row group 0: column "film_id" holds the negative id -1.`),
    })
    await expect(
      loadInteractions({ sources: sources(fileOf('flags.parquet', [true, false], 'BOOLEAN')) }),
    ).rejects.toThrow('column "film_id" of source "s0": found boolean, expected an integer or a string for item ids.')
    await expect(
      loadInteractions({ sources: sources(negative, fileOf('named.parquet', ['a', 'b'], 'STRING')) }),
    ).rejects.toMatchObject({
      column: 'film_id',
      message: expect.stringContaining('column "film_id" of source "s1": found a string, expected an integer'),
    })
  })

  test('with one fingerprint for two strings are an error', () => {
    const table = new KeyTable(true)
    const bytes = Buffer.from('annbob')
    const keys = {
      lo: Uint32Array.of(1, 1),
      hi: Uint32Array.of(2, 2),
      start: Uint32Array.of(0, 3),
      end: Uint32Array.of(3, 6),
      bytes,
    }
    expect(() => table.count(keys, Uint16Array.of(0, 0), 2)).not.toThrow()
    expect(() => table.count(keys, Uint16Array.of(1), 1)).toThrow(
      'the ids "ann" and "bob" have the same fingerprint. Load with another `seed`.',
    )
  })
})
