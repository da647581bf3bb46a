import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ReadVectorsOptions, readVectors, type VectorFiles } from '../src/index.ts'
import { temporaryFolder } from './parquet-files.ts'
import { testServer } from './s3-server.ts'

const folder = temporaryFolder()
let duckdb: Awaited<ReturnType<DuckDBInstance['connect']>>
beforeAll(async () => {
  duckdb = await (await DuckDBInstance.create()).connect()
})
afterAll(() => duckdb.closeSync())

/** Writes what a query selects. DuckDB's row groups have multiples of 2,048 rows. */
async function write(name: string, query: string, rowGroupSize = 2048): Promise<string> {
  const path = join(folder, name)
  await duckdb.run(`COPY (${query}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE ${rowGroupSize})`)
  return path
}

const value = '(hash(i * 1000 + j) % 2000001)::DOUBLE / 1e6 - 1'

function vectors(rows: number, dimension: number, id: string, type: string, from = 0): string {
  return `SELECT ${id} AS id, list_transform(range(${dimension}), lambda j: ${value})::${type} AS vector, i AS row FROM range(${from}, ${from + rows}) t(i)`
}

interface Rows {
  ids: unknown[]
  data: number[]
}

/** What DuckDB reads of the files, in their order. */
async function expected(files: string, id = 'id', vector = 'vector'): Promise<Rows> {
  const from = `(SELECT ${id} AS id, ${vector} AS vector FROM read_parquet('${files}', filename = true) ORDER BY filename, row)`
  const column = async (query: string): Promise<unknown[]> =>
    (await duckdb.runAndReadAll(query)).getColumns()[0] as unknown[]
  const data = await column(`SELECT unnest(vector)::FLOAT FROM ${from}`)
  return { ids: await column(`SELECT id FROM ${from}`), data: data as number[] }
}

async function read(stream: VectorFiles, start = 0): Promise<Rows> {
  const found: Rows = { ids: [], data: [] }
  for await (const { ids, data } of stream.batches(start)) {
    expect(data.length).toBe(ids.length * stream.dimension)
    for (let row = 0; row < ids.length; row++) found.ids.push(ids.at(row))
    for (const one of data) found.data.push(one)
  }
  return found
}

describe('ids and vectors are those that DuckDB reads', () => {
  test.each([
    ['int32 and floats', 5000, 3, 'i::INTEGER', 'FLOAT[]'],
    ['int64 and doubles', 5000, 5, 'i * 3000000000', 'DOUBLE[]'],
    ['arrays of a fixed size', 3000, 7, 'i', 'FLOAT[7]'],
    ['one dimension', 2049, 1, 'i', 'FLOAT[]'],
    ['strings', 4100, 4, "'release ' || lpad(i::VARCHAR, 6, '0') || repeat('ü', i % 3)", 'FLOAT[]'],
    ['UUIDs', 3000, 4, "('00000000-0000-4000-8000-' || lpad(i::VARCHAR, 12, '0'))::UUID", 'FLOAT[]'],
    ['a batch and a row more than its 8,192', 8193, 2, 'i', 'FLOAT[]'],
  ])('%s', async (name, rows, dimension, id, type) => {
    const path = await write(
      `${name.replaceAll(/\W/g, '-')}.parquet`,
      vectors(rows, dimension, id, type),
      rows === 8193 ? 20_480 : 2048,
    )
    const stream = await readVectors({ source: path })
    expect(stream).toMatchObject({ points: rows, dimension })
    const whole = await expected(path, /UUID/.test(id) ? 'id::VARCHAR' : 'id')
    const found = await read(stream)
    expect(found.ids.map(String)).toEqual(whole.ids.map(String))
    expect(found.data).toEqual(whole.data)
  })

  test('ids of 64 bits are bigints, and all of a row group then', async () => {
    const path = await write('wide.parquet', vectors(3000, 2, '18446744073709548615::UBIGINT + i::UBIGINT', 'FLOAT[]'))
    const found = await read(await readVectors({ source: path }))
    expect(found.ids).toEqual((await expected(path)).ids)
    expect(found.ids[0]).toBe(18446744073709548615n)
  })

  test('columns of numbers are read along', async () => {
    const numbers =
      'i % 7 AS interaction_count, CASE WHEN i % 5 = 0 THEN NULL ELSE i / 8 END::DOUBLE AS weight, i::DECIMAL(9, 2) AS price'
    const path = await write(
      'numbers.parquet',
      `SELECT *, ${numbers} FROM (${vectors(5000, 2, 'i', 'FLOAT[]')}) t(id, vector, i)`,
    )
    const names = ['interaction_count', 'weight', 'price']
    const stream = await readVectors({ source: path, numbers: names })
    for (const start of [0, 3000]) {
      const found: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]))
      for await (const batch of stream.batches(start))
        for (const name of names) found[name].push(...batch.numbers[name])
      for (const name of names) {
        const query = `SELECT coalesce(${name}::DOUBLE, 'NaN'::DOUBLE) FROM '${path}' OFFSET ${start}`
        expect(found[name], name).toEqual((await duckdb.runAndReadAll(query)).getColumns()[0])
      }
    }
    await expect(readVectors({ source: path, numbers: ['vector'] })).rejects.toThrow(
      /column "vector": found list, expected numbers/,
    )
  })

  test('several files, empty ones among them, other names of the columns, from any row on', async () => {
    const rename = (query: string): string => `SELECT id AS user_id, vector AS factors, row FROM (${query})`
    for (const [i, rows] of [5000, 0, 1, 2048, 4096].entries())
      await write(`part-${i}.parquet`, rename(vectors(rows, 6, 'i', 'FLOAT[]', 10_000 * i)))
    const source = join(folder, 'part-*.parquet')
    const stream = await readVectors({ source, id: 'user_id', vector: 'factors', threads: 2 })
    const whole = await expected(source, 'user_id', 'factors')
    expect(stream.points).toBe(11_145)
    for (const start of [0, 1, 2047, 2048, 4999, 5000, 5001, 7048, 7049, 11_144, 11_145]) {
      const { ids, data } = await read(stream, start)
      expect(ids.map(Number), `from ${start}`).toEqual(whole.ids.map(Number).slice(start))
      expect(data, `from ${start}`).toEqual(whole.data.slice(start * 6))
    }
  })
})

describe('what cannot be is refused, with its file and column', () => {
  const good = vectors(3000, 4, 'i', 'FLOAT[]')
  test.each<[string, string | string[], RegExp, ('plan' | 'read')?]>([
    [
      'no such column',
      'SELECT i AS id FROM range(5) t(i)',
      /column "vector": found no such column \(it has: id\), expected a list of floats/,
    ],
    [
      'no list',
      'SELECT i AS id, 1.5::FLOAT AS vector FROM range(5) t(i)',
      /column "vector": found float, expected a list of floats/,
    ],
    [
      'a list of lists',
      'SELECT i AS id, [[1.0::FLOAT]] AS vector FROM range(5) t(i)',
      /column "vector": found list, expected a list of floats/,
    ],
    [
      'a list of integers',
      'SELECT i AS id, [1, 2] AS vector FROM range(5) t(i)',
      /expected a list of floats or doubles/,
    ],
    [
      'an id that is no id',
      'SELECT make_timestamp(i) AS id, [1.0::FLOAT] AS vector FROM range(5) t(i)',
      /column "id": found timestamp.*, expected integers, strings or UUIDs/,
    ],
    [
      'lengths that do not add up',
      'SELECT i AS id, range(i % 2)::FLOAT[] || [1.0::FLOAT] AS vector FROM range(5) t(i)',
      /found 7 values in the 5 rows of row group 0, expected as many in every row/,
    ],
    [
      'lengths that do add up',
      'SELECT i AS id, CASE i % 3 WHEN 0 THEN [1] WHEN 1 THEN [1, 2] ELSE [1, 2, 3] END::FLOAT[] AS vector FROM range(6) t(i)',
      /row group 0: column "vector" has 1 values in row 0 of the row group, expected 2 floats/,
      'read',
    ],
    [
      'a vector that is null',
      'SELECT i AS id, CASE i WHEN 3 THEN NULL WHEN 4 THEN [1, 2, 3] ELSE [1, 2] END::FLOAT[] AS vector FROM range(5) t(i)',
      /column "vector" has a null in row 3/,
      'read',
    ],
    [
      'a value that is null',
      'SELECT i AS id, CASE i WHEN 3 THEN [1, NULL] ELSE [1, 2] END::FLOAT[] AS vector FROM range(5) t(i)',
      /column "vector" has a null at place 1 in row 3/,
      'read',
    ],
    [
      'an id that is null',
      'SELECT nullif(i, 2) AS id, [1.0::FLOAT] AS vector FROM range(5) t(i)',
      /column "id" has a null or a negative number in row 2 of the row group/,
      'read',
    ],
    [
      'a string that is null',
      "SELECT CASE i WHEN 2 THEN NULL ELSE 'x' END AS id, [1.0::FLOAT] AS vector FROM range(5) t(i)",
      /column "id" has a null .* in row 2/,
      'read',
    ],
    [
      'a negative id',
      'SELECT i - 1 AS id, [1.0::FLOAT] AS vector FROM range(5) t(i)',
      /column "id" has a null or a negative number in row 0/,
      'read',
    ],
    [
      'another dimension in another file',
      [good, vectors(10, 5, 'i', 'FLOAT[]')],
      /found 5 values per row in row group 0, expected 4 values per row, as in .*0\.parquet/,
    ],
    [
      'ids of another kind in another file',
      [good, vectors(10, 4, "'x' || i", 'FLOAT[]')],
      /column "id": found utf8, expected ids of one kind: .*0\.parquet has a integer/,
    ],
    ['no rows', vectors(0, 4, 'i', 'FLOAT[]'), /0\.parquet: no rows, expected a vector in at least one/],
  ])('%s', async (name, queries, message, when = 'plan') => {
    const files: string[] = []
    for (const [i, query] of [queries].flat().entries())
      files.push(await write(`${name.replaceAll(/\W/g, '-')}-${i}.parquet`, query))
    const stream = readVectors({ source: files })
    if (when === 'plan') await expect(stream).rejects.toThrow(message)
    else await expect(read(await stream)).rejects.toThrow(message)
  })

  test('an abort ends it between two batches', async () => {
    const controller = new AbortController()
    const source = await write('abort.parquet', vectors(20_000, 4, 'i', 'FLOAT[]'))
    const stream = await readVectors({ source, signal: controller.signal })
    const batches = stream.batches(0)
    await batches.next()
    controller.abort(new Error('enough'))
    await expect(batches.next()).rejects.toThrow('enough')
  })
})

describe('from S3', () => {
  const server = testServer()
  const options = (): Pick<ReadVectorsOptions, 's3'> => ({
    s3: { endpoint: server.endpoint, region: 'us-east-1', credentials: server.credentials },
  })

  test('the same rows, and only the row groups from the start on are fetched', async () => {
    const path = await write('objects.parquet', vectors(3 * 2048, 16, 'i', 'FLOAT[]'))
    const body = readFileSync(path)
    await server.put('vectors/part-0.parquet', body)
    const source = 's3://shop/vectors/'
    const stream = await readVectors({ source, ...options() })
    expect(await read(stream)).toEqual(await read(await readVectors({ source: path })))
    server.gets.length = 0
    const { ids } = await read(stream, 2 * 2048 + 5)
    expect(ids.map(Number)[0]).toBe(4101)
    const fetched = server.gets.map((get) => /bytes=(\d+)-(\d+)/.exec(get)!.slice(1).map(Number))
    const bytes = fetched.reduce((sum, [from, to]) => sum + to - from + 1, 0)
    expect(bytes).toBeLessThan(body.length / 2)
    expect(Math.min(...fetched.map(([from]) => from))).toBeGreaterThan(body.length / 2)
  })

  test('the fingerprint changes with a file, and not between two runs', async () => {
    const source = 's3://shop/vectors/'
    const fingerprint = async (): Promise<string> => (await readVectors({ source, ...options() })).fingerprint
    const before = await fingerprint()
    expect(await fingerprint()).toBe(before)
    await server.put(
      'vectors/part-0.parquet',
      readFileSync(await write('other.parquet', vectors(3 * 2048, 16, 'i + 1', 'FLOAT[]'))),
    )
    expect(await fingerprint()).not.toBe(before)
  })
})
