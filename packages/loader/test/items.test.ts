import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import {
  Field,
  Int32,
  List,
  Struct,
  Table,
  TimestampMillisecond,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { Table as WasmTable, WriterPropertiesBuilder, writeParquet as writeWasm } from 'parquet-wasm'
import { expect, test } from 'vitest'
import { type ItemRow, planItems, type ReadItemsOptions, readItems } from '../src/index.ts'
import { int32, temporaryFolder, writeParquet } from './parquet-files.ts'

const folder = temporaryFolder()
const ids = Array.from({ length: 5000 }, (_, index) => index * 3)
const list = <T>(type: T) => new List(new Field('item', type as never, true))
const catalogue = join(folder, 'releases.parquet')
const columns = {
  release_id: vectorFromArray(ids, new Int32()),
  title: vectorFromArray(
    ids.map((id) => (id % 2 === 0 ? `Title ${id} ü` : null)),
    new Utf8(),
  ),
  year: vectorFromArray(
    ids.map((id) => 1950 + (id % 70)),
    new Int32(),
  ),
  genres: vectorFromArray(
    ids.map((id) => Array.from({ length: id % 4 }, (_, i) => `genre ${i}`)),
    list(new Utf8()),
  ),
  ratings: vectorFromArray(
    ids.map((id) => [id, id + 1]),
    list(new Int32()),
  ),
  tracks: vectorFromArray(
    ids.map((id) => [[`a${id}`], [], ['b', 'c']]),
    list(list(new Utf8())),
  ),
  added: vectorFromArray(
    ids.map((id) => new Date(1e12 + id)),
    new TimestampMillisecond(),
  ),
  label: vectorFromArray(
    ids.map((id) => ({ name: `L${id}` })),
    new Struct([new Field('name', new Utf8())]),
  ),
}
const properties = new WriterPropertiesBuilder().setMaxRowGroupSize(700).build()
writeFileSync(catalogue, writeWasm(WasmTable.fromIPCStream(tableToIPC(new Table(columns), 'stream')), properties))

async function collect(options: ReadItemsOptions): Promise<ItemRow[]> {
  const items: ItemRow[] = []
  for await (const item of readItems({ id: 'release_id', ...options })) items.push(item)
  return items
}

test('metadata of the ids kept streams in the order of the file, with lists and nested lists', async () => {
  const kept = Uint32Array.of(3, 6, 14_994, 77_777)
  const items = await collect({ source: catalogue, ids: kept })
  expect(items.map(({ row, id }) => [row, id])).toEqual([
    [0, 3],
    [1, 6],
    [2, 14_994],
  ])
  expect(items[1].values).toEqual({
    release_id: 6,
    title: 'Title 6 ü',
    year: 1956,
    genres: ['genre 0', 'genre 1'],
    ratings: [6, 7],
    tracks: [['a6'], [], ['b', 'c']],
    added: 1e12 + 6,
    label: { name: 'L6' },
  })
  expect(items[0].values.title).toBeNull()
})

test('only the columns asked for are read and returned', async () => {
  const [item] = await collect({ source: { uri: catalogue }, ids: Float64Array.of(9), columns: ['year', 'genres'] })
  expect(item).toEqual({ row: 0, id: 9, values: { year: 1959, genres: ['genre 0'] } })
})

test('ids may be strings, and an id that occurs twice comes once', async () => {
  const names = ['b', 'a', 'c', 'a']
  const path = writeParquet(join(folder, 'named.parquet'), [
    { name: 'sku', data: names, type: 'STRING' },
    int32('year', [1, 2, 3, 4]),
  ])
  const items = await collect({ source: path, ids: ['a', 'b'], id: 'sku' })
  expect(items).toEqual([
    { row: 1, id: 'b', values: { sku: 'b', year: 1 } },
    { row: 0, id: 'a', values: { sku: 'a', year: 2 } },
  ])
})

test('a reader that stops early, or aborts, leaves nothing running', async () => {
  let seen = 0
  for await (const _ of readItems({ source: catalogue, ids: Uint32Array.from(ids) })) if (++seen === 10) break
  expect(seen).toBe(10)
  const controller = new AbortController()
  const items = readItems({ source: catalogue, ids: Uint32Array.from(ids), signal: controller.signal })
  await items.next()
  controller.abort(new Error('enough'))
  const rest = async () => {
    for await (const _ of items);
  }
  await expect(rest()).rejects.toThrow('enough')
})

test('columns that are missing or ids of another type are errors with the file and the column', async () => {
  await expect(collect({ source: catalogue, ids: Uint32Array.of(1), columns: ['titel'] })).rejects.toThrow(
    `${catalogue}: column "titel": found no such column (it has: release_id, title, year,`,
  )
  await expect(collect({ source: catalogue, ids: ['x'] })).rejects.toThrow(
    `${catalogue}: column "release_id": found int32, expected a string, as the ids are.`,
  )
})

test('a column that some files do not have is null there, when that is asked for', async () => {
  const parts = join(folder, 'parts')
  writeParquet(join(parts, 'part-0.parquet'), [int32('release_id', [1, 2]), int32('year', [1990, 1991])])
  writeParquet(join(parts, 'part-1.parquet'), [
    int32('release_id', [3]),
    int32('year', [1992]),
    { name: 'country', data: ['Italy'], type: 'STRING' },
  ])
  const asked = { source: parts, columns: ['country', 'year', 'label'] }
  await expect(planItems(asked)).rejects.toThrow(/part-0.parquet: column "country": found no such column/)
  const plan = await planItems({ ...asked, absentColumns: 'null' })
  expect(plan).toMatchObject({ files: 2, rows: 3, absent: ['country', 'label'] })
  const items = await collect({ ...asked, absentColumns: 'null', ids: Uint32Array.of(1, 2, 3) })
  expect(items.map(({ values }) => values)).toEqual([
    { country: null, label: null, year: 1990 },
    { country: null, label: null, year: 1991 },
    { country: 'Italy', label: null, year: 1992 },
  ])
})

test('a catalogue is planned without reading its data: rows, bytes, and the type of its ids', async () => {
  const plan = await planItems({ source: catalogue, columns: ['title'], idKind: 'integer' })
  expect([plan.files, plan.rows, plan.absent]).toEqual([1, 5000, []])
  // 5,000 titles, half of them null, and ids of four bytes.
  expect(plan.unpackedBytes).toBeGreaterThan(5000 * 4 + 2500 * 'Title 6 ü'.length)
  expect(plan.bytes).toBeGreaterThan(0)
  await expect(planItems({ source: catalogue, id: 'release_id', idKind: 'string' })).rejects.toThrow(
    'column "release_id": found int32, expected a string, as the ids are.',
  )
  await expect(planItems({ source: catalogue, id: 'sku', absentColumns: 'null' })).rejects.toThrow(
    'column "sku": found no such column',
  )
})

test('the only column that ends in _id is that of the ids, where none is named', async () => {
  const path = writeParquet(join(folder, 'films.parquet'), [int32('film_id', [7, 8]), int32('year', [1990, 1991])])
  const items: ItemRow[] = []
  for await (const item of readItems({ source: path, ids: Uint32Array.of(8) })) items.push(item)
  expect(items).toEqual([{ row: 0, id: 8, values: { item_id: 8, year: 1991 } }])
  const two = writeParquet(join(folder, 'two.parquet'), [int32('film_id', [7]), int32('label_id', [1])])
  await expect(planItems({ source: two })).rejects.toThrow(
    'column "item_id": found no such column (it has: film_id, label_id)',
  )
})

test('without ids every item that has one comes, numbered as they come', async () => {
  const items = await collect({ source: catalogue, columns: ['year'] })
  expect(items.map(({ row, id }) => [row, id])).toEqual(ids.map((id, row) => [row, id]))
  expect(items[7].values).toEqual({ year: 1950 + 21 })
  const path = writeParquet(join(folder, 'gaps.parquet'), [
    { name: 'sku', data: ['b', null, 'c', 'b'], type: 'STRING' },
    int32('year', [1, 2, 3, 4]),
  ])
  expect(await collect({ source: path, id: 'sku', columns: ['year'] })).toEqual([
    { row: 0, id: 'b', values: { year: 1 } },
    { row: 1, id: 'c', values: { year: 3 } },
    { row: 2, id: 'b', values: { year: 4 } },
  ])
})

test('without ids, files must agree on what ids are', async () => {
  const numbers = writeParquet(join(folder, 'kinds', 'a.parquet'), [int32('sku', [1, 2])])
  const strings = writeParquet(join(folder, 'kinds', 'b.parquet'), [{ name: 'sku', data: ['x'], type: 'STRING' }])
  await expect(collect({ source: { files: [numbers, strings] }, id: 'sku' })).rejects.toThrow(
    /b.parquet: column "sku": found utf8, expected an integer, as the ids are/,
  )
  await expect(collect({ source: numbers, id: 'sku', idKind: 'string' })).rejects.toThrow(/expected a string/)
})

test('values of every nesting are those that DuckDB reads, over several batches and row groups, whatever is left out', async () => {
  const path = join(folder, 'nested.parquet')
  const connection = await (await DuckDBInstance.create()).connect()
  const sometimes = (part: number, value: string) => `CASE WHEN hash(i, ${part}) % 5 > 0 THEN ${value} END`
  await connection.run(`COPY (SELECT i AS item_id, ${sometimes(1, `'title ' || i`)} AS title,
      ${sometimes(2, `list_transform(range((hash(i) % 4)::BIGINT), x -> CASE WHEN (i + x) % 3 > 0 THEN 'a' || x END)`)} AS tags,
      ${sometimes(3, `list_transform(range(i % 3), x -> list_transform(range(x), y -> i * y))`)} AS lists,
      ${sometimes(4, `struct_pack(name := ${sometimes(5, `'n' || i`)}, parts := [i, NULL])`)} AS label,
      ${sometimes(6, `list_transform(range(i % 3), x -> struct_pack(role := 'r' || x, year := ${sometimes(7, 'i')}))`)} AS credits,
      ${sometimes(8, `MAP {'a' || i: i, 'b': NULL}`)} AS notes, ${sometimes(9, 'i % 2 = 0')} AS reissue
    FROM range(80000) AS t(i)) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 71680)`)
  const ids = Uint32Array.from({ length: 10_000 }, (_, row) => Math.floor(7.9 * row))
  const names = ['title', 'tags', 'lists', 'label', 'credits', 'notes', 'reissue']
  const packed = names.map((name) => `${name} := ${name}`).join(', ')
  const expected =
    await connection.runAndReadAll(`SELECT item_id, to_json(struct_pack(${packed}))::VARCHAR FROM '${path}'
    WHERE item_id IN (SELECT floor(7.9 * row)::BIGINT FROM range(10000) AS r(row))`)
  const jsonOf = new Map(expected.getRows().map(([id, json]) => [Number(id), String(json)]))
  let count = 0
  const different: unknown[] = []
  for await (const { row, id, values } of readItems({ source: path, ids, columns: names })) {
    count++
    if (id !== ids[row] || JSON.stringify(values) !== JSON.stringify(JSON.parse(jsonOf.get(id)!))) {
      different.push([id, values, jsonOf.get(id as number)])
    }
  }
  expect(different.slice(0, 3)).toEqual([])
  expect(count).toBe(10_000)
})
