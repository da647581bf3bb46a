import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import {
  Dictionary,
  Float32,
  Int32,
  Null,
  Table,
  TimestampMillisecond,
  tableToIPC,
  type Vector,
  vectorFromArray,
} from 'apache-arrow'
import type { SchemaElement } from 'hyparquet'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import { Table as WasmTable, writeParquet as writeWasm } from 'parquet-wasm'
import { describe, expect, test } from 'vitest'
import {
  type ConfidenceTable,
  type ItemRow,
  loadInteractions,
  planLoad,
  readItems,
  type SourceOptions,
} from '../src/index.ts'
import { int32, temporaryFolder, writeParquet } from './parquet-files.ts'
import { linesOf } from './reference.ts'

const folder = temporaryFolder()
const thresholds = { user: 1, item: 1 }
const load = (uri: string, source: Partial<SourceOptions> = {}, more = {}) =>
  loadInteractions({ sources: [{ name: 'ratings', uri, ...source }], thresholds, threads: 1, ...more })
const pairs = [int32('user_id', [1, 2, 3]), int32('item_id', [10, 10, 11])]

/** A file whose columns have the schema elements given. */
function write(name: string, columns: ColumnSource[], elements: SchemaElement[]): string {
  const path = join(folder, name)
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }, ...elements]
  writeFileSync(
    path,
    Buffer.from(parquetWriteBuffer({ columnData: columns.map(({ name, data }) => ({ name, data })), schema })),
  )
  return path
}

/** A file with a stored Arrow schema. */
function writeArrow(name: string, columns: Record<string, Vector>): string {
  const path = join(folder, name)
  writeFileSync(path, writeWasm(WasmTable.fromIPCStream(tableToIPC(new Table(columns), 'stream'))))
  return path
}

const optional = (name: string, more: Partial<SchemaElement>): SchemaElement => ({
  name,
  repetition_type: 'OPTIONAL',
  ...more,
})
const ids32 = [optional('user_id', { type: 'INT32' }), optional('item_id', { type: 'INT32' })]

describe('ids', () => {
  test('are UUIDs where they have 16 bytes, annotated or not', async () => {
    const bytes = ['ff', '0a', '0a'].map((byte) => Uint8Array.from(Buffer.from(byte.repeat(16), 'hex')))
    for (const logical_type of [{ type: 'UUID' } as const, undefined]) {
      const uri = write(
        `uuid-${logical_type?.type}.parquet`,
        [{ name: 'user_id', data: logical_type ? bytes.map(text) : bytes }, pairs[1]],
        [optional('user_id', { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type }), ids32[1]],
      )
      expect(linesOf(await load(uri))).toEqual([
        '0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a 10 1',
        '0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a 11 1',
        'ffffffff-ffff-ffff-ffff-ffffffffffff 10 1',
      ])
    }
  })

  test('are integers in columns of doubles; NaN is none, a fraction an error', async () => {
    const user = (data: (number | null)[]): ColumnSource[] => [{ name: 'user_id', data, type: 'DOUBLE' }, pairs[1]]
    const uri = writeParquet(join(folder, 'doubles.parquet'), user([2 ** 40, null, Number.NaN]))
    const loaded = await load(uri)
    expect(linesOf(loaded)).toEqual([`${2 ** 40} 10 1`])
    expect(loaded.stats.sources[0].nullIds).toBe(2)
    const broken = writeParquet(join(folder, 'fraction.parquet'), user([1, 1.5, 2]))
    await expect(load(broken)).rejects.toThrow(
      'column "user_id" is of doubles and holds the id 1.5; an id is an integer. Store the ids as integers or strings.',
    )
  })

  test('of unsigned columns from 2^63 on are named as they are', async () => {
    const uri = write(
      'unsigned.parquet',
      [{ name: 'user_id', data: BigUint64Array.of(1n, 2n ** 64n - 1n, 2n) }, pairs[1]],
      [optional('user_id', { type: 'INT64', converted_type: 'UINT_64' }), ids32[1]],
    )
    await expect(load(uri)).rejects.toThrow('column "user_id" holds the id 18446744073709551615; ids from 2^53 on')
  })

  test('are fields of structs by their path, nulls of the struct included', async () => {
    const rows = [{ id: 1, name: 'x' }, null, { id: null, name: 'y' }]
    const uri = write(
      'nested.parquet',
      [{ name: 'user', data: rows }, pairs[1]],
      [
        optional('user', { num_children: 2 }),
        optional('id', { type: 'INT32' }),
        optional('name', { type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
        ids32[1],
      ],
    )
    const loaded = await load(uri, { user: 'user.id' })
    expect(linesOf(loaded)).toEqual(['1 10 1'])
    expect(loaded.stats.sources[0].nullIds).toBe(2)
  })

  test('of a column of nulls alone are none, and do no harm to the others', async () => {
    const nulls = writeArrow('nulls.parquet', {
      user_id: vectorFromArray([null, null], new Null()),
      item_id: vectorFromArray([1, 2], new Int32()),
    })
    const text = writeParquet(join(folder, 'text.parquet'), [
      { name: 'user_id', data: ['a', 'b'], type: 'STRING' },
      int32('item_id', [1, 2]),
    ])
    const loaded = await load('', { uri: undefined, files: [nulls, text] })
    expect(linesOf(loaded)).toEqual(['a 1 1', 'b 2 1'])
    expect(loaded.stats.sources[0].nullIds).toBe(2)
  })
})

describe('values', () => {
  test('of floats, decimals and booleans are found in a table', async () => {
    const confidence = { column: 'rating', values: { 3.7: 2, 4.2: 3 } }
    const floats = writeArrow('floats.parquet', {
      user_id: vectorFromArray([1, 2, 3], new Int32()),
      item_id: vectorFromArray([10, 10, 11], new Int32()),
      rating: vectorFromArray([3.7, 4.2, 3.5], new Float32()),
    })
    expect(linesOf(await load(floats, { confidence }))).toEqual(['1 10 2', '2 10 3'])
    const decimals = write(
      'decimals.parquet',
      [...pairs, { name: 'rating', data: [3.7, 4.2, -3.7] }],
      [...ids32, optional('rating', { type: 'INT32', converted_type: 'DECIMAL', precision: 4, scale: 2 })],
    )
    expect(linesOf(await load(decimals, { confidence }))).toEqual(['1 10 2', '2 10 3'])
    const booleans = writeParquet(join(folder, 'booleans.parquet'), [
      ...pairs,
      { name: 'rating', data: [true, false, true], type: 'BOOLEAN' },
    ])
    for (const values of [{ true: 5 }, new Map([[true, 5]]), { 1: 5 }] as ConfidenceTable[]) {
      const lines = linesOf(await load(booleans, { confidence: { column: 'rating', values } }))
      expect(lines).toEqual(['1 10 5', '3 11 5'])
    }
  })

  test('of times that are a dictionary in Arrow are the times', async () => {
    const [early, late] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1)]
    const uri = writeArrow('dictionary-times.parquet', {
      user_id: vectorFromArray([1, 1], new Int32()),
      item_id: vectorFromArray([10, 10], new Int32()),
      rating: vectorFromArray([5, 3], new Int32()),
      at: vectorFromArray([late, early], new Dictionary(new TimestampMillisecond(), new Int32())),
    })
    const source = { confidence: { column: 'rating', weight: 'linear' }, time: { column: 'at' } } as const
    expect(linesOf(await load(uri, source, { merge: 'last' }))).toEqual(['1 10 5'])
    const since = new Date(Date.UTC(2026, 0, 15))
    expect((await load(uri, { ...source, time: { column: 'at', since } })).stats.sources[0].outsideWindow).toBe(1)
  })

  test('of a partition stand for a column of confidences or times', async () => {
    for (const [event, day] of [
      ['buy', '2026-01-31'],
      ['view', '2026-02-01'],
      ['__HIVE_DEFAULT_PARTITION__', '2026-02-01'],
    ]) {
      writeParquet(join(folder, 'events', `event=${event}`, `day=${day}`, 'part.parquet'), pairs)
    }
    const confidence = { column: 'event', values: { buy: 5, view: 1 } }
    const loaded = await load(join(folder, 'events'), { confidence })
    expect(linesOf(loaded)).toEqual(['1 10 5', '2 10 5', '3 11 5'])
    expect(loaded.stats.sources[0].withoutConfidence).toBe(3)
    const since = new Date('2026-02-01')
    const february = await load(join(folder, 'events'), { confidence, time: { column: 'day', since } })
    expect(linesOf(february)).toEqual(['1 10 1', '2 10 1', '3 11 1'])
    await expect(load(join(folder, 'events'), { time: { column: 'event' } })).rejects.toThrow(
      'partition "event=buy" of source "ratings" is no time. Expected a date (2026-01-31)',
    )
  })
})

describe('names', () => {
  test('that begin with another, have dots or letters beyond ASCII are found as they are', async () => {
    const uri = writeParquet(join(folder, 'names.parquet'), [
      ...pairs,
      int32('größe', [1, 2, 3]),
      int32('größe2', [7, 7, 7]),
      int32('größe.quelle', [9, 9, 9]),
    ])
    for (const [column, values] of [
      ['größe', [1, 2, 3]],
      ['größe2', [7, 7, 7]],
      ['größe.quelle', [9, 9, 9]],
    ] as const) {
      const lines = linesOf(await load(uri, { confidence: { column, weight: 'linear' } }))
      expect(lines).toEqual([`1 10 ${values[0]}`, `2 10 ${values[1]}`, `3 11 ${values[2]}`])
    }
  })

  test('in another case are found where only one fits, and the plan says so', async () => {
    const uri = writeParquet(join(folder, 'case.parquet'), [int32('USER_ID', [1, 2, 3]), pairs[1]])
    expect(linesOf(await load(uri))).toEqual(['1 10 1', '2 10 1', '3 11 1'])
    const [{ notes }] = (await planLoad({ sources: [{ name: 'ratings', uri }] })).sources
    expect(notes).toEqual([`column "user_id" is "USER_ID" in ${uri}`])
    const both = writeParquet(join(folder, 'cases.parquet'), [
      int32('User_Id', [1, 2, 3]),
      int32('USER_ID', [1, 2, 3]),
      pairs[1],
    ])
    await expect(load(both)).rejects.toThrow('found 2 columns of this name ("User_Id", int32; "USER_ID", int32)')
  })
})

test('metadata: decimals, UUIDs, bytes, times of day and wide numbers come as plain values', async () => {
  const uri = write(
    'items.parquet',
    [
      { name: 'item_id', data: [1] },
      { name: 'price', data: [19.99] },
      { name: 'title', data: [Uint8Array.from(Buffer.from('Ré'))] },
      { name: 'cover', data: [Uint8Array.of(0xff, 0xfe)] },
      { name: 'uuid', data: ['00000000-0000-4000-8000-00000000000a'] },
      { name: 'at', data: BigInt64Array.of(3_600_000_000n) },
      { name: 'wide', data: BigInt64Array.of(2n ** 53n) },
      { name: 'safe', data: BigInt64Array.of(2n ** 53n - 1n) },
    ],
    [
      ids32[1],
      optional('price', { type: 'INT32', converted_type: 'DECIMAL', precision: 9, scale: 2 }),
      optional('title', { type: 'BYTE_ARRAY' }),
      optional('cover', { type: 'BYTE_ARRAY' }),
      optional('uuid', { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } }),
      optional('at', { type: 'INT64', logical_type: { type: 'TIME', isAdjustedToUTC: true, unit: 'MICROS' } }),
      optional('wide', { type: 'INT64' }),
      optional('safe', { type: 'INT64' }),
    ],
  )
  const items: ItemRow[] = []
  for await (const item of readItems({ source: uri, ids: [1], id: 'item_id' })) items.push(item)
  expect(items[0].values).toEqual({
    item_id: 1,
    price: 19.99,
    title: 'Ré',
    cover: Uint8Array.of(0xff, 0xfe),
    uuid: '00000000-0000-4000-8000-00000000000a',
    at: 3_600_000,
    wide: 2n ** 53n,
    safe: 2 ** 53 - 1,
  })
})

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

test('differences of 32-bit integers in more than 32 bits, which DuckDB writes and readers of Arrow refuse, are named', async () => {
  const uri = join(folder, 'too-wide.parquet')
  const instance = await DuckDBInstance.create()
  const connection = await instance.connect()
  await connection.run(`COPY (
    SELECT (row * 7919 % 1000)::USMALLINT AS user_id, (hash(row) % 4294967295)::UINTEGER AS item_id FROM range(5000) t(row)
  ) TO '${uri}' (PARQUET_VERSION V2)`)
  const error = await load(uri).catch((error) => error)
  expect(error).toMatchObject({ name: 'LoadError', code: 'corrupt', file: uri, rowGroup: 0, column: 'item_id' })
  expect(error.message).toMatch(
    /differences of column "item_id" .* UINTEGER .* PARQUET_VERSION V1, or the column as BIGINT/,
  )
  // Written again as the message says.
  await connection.run(`COPY (FROM '${uri}') TO '${uri}.1' (FORMAT parquet, PARQUET_VERSION V1)`)
  expect((await load(`${uri}.1`)).matrix.entries).toBe(5000)
  connection.closeSync()
  instance.closeSync()
})
