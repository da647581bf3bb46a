import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import { ByteWriter } from 'hyparquet-writer'
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js'
import { expect, test } from 'vitest'
import { loadInteractions, planLoad } from '../src/index.ts'
import { int32, pairColumns, parquetBytes, signals, temporaryFolder } from './parquet-files.ts'
import { linesOf } from './reference.ts'

// What is in the footers of other writers, by rewriting one: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
// biome-ignore lint/suspicious/noExplicitAny: thrift as it is read, without names
type Thrift = any

const folder = temporaryFolder()
const rows = signals(500, 40, 30, 3)
const plain = parquetBytes(
  [
    ...pairColumns(rows),
    int32(
      'other',
      rows.map(() => 7),
    ),
  ],
  { rowGroupSize: 200 },
)

/** A file whose footer was changed; FileMetaData has its fields by number. */
function rewritten(name: string, change: (footer: Thrift) => void, bytes = plain): string {
  const length = bytes.readUInt32LE(bytes.length - 8)
  const footer = bytes.subarray(bytes.length - 8 - length, bytes.length - 8)
  const view = new DataView(footer.buffer, footer.byteOffset, footer.length)
  const fields: Thrift = deserializeTCompactProtocol({ view, offset: 0 })
  change(fields)
  // Fields in ascending order, as the protocol writes their differences.
  const sorted = (value: Thrift): Thrift => {
    if (Array.isArray(value)) return value.map(sorted)
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
    const number = (key: string) => Number(key.slice('field_'.length))
    const entries = Object.entries(value).sort(([a], [b]) => number(a) - number(b))
    return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]))
  }
  const writer = new ByteWriter()
  serializeTCompactProtocol(writer, sorted(fields))
  const end = Buffer.alloc(8)
  end.writeUInt32LE(writer.getBytes().length)
  end.write('PAR1', 4)
  const path = join(folder, `${name}.parquet`)
  writeFileSync(path, Buffer.concat([bytes.subarray(0, bytes.length - 8 - length), writer.getBytes(), end]))
  return path
}

/** ColumnChunks of one column in all row groups; their meta data is field_3. */
function chunksOf(footer: Thrift, column: number): Thrift[] {
  return footer.field_4.map((group: Thrift) => group.field_1[column])
}

function load(uri: string) {
  return loadInteractions({ sources: [{ name: 'haves', uri }], thresholds: { user: 1, item: 1 }, threads: 1 })
}

const text = (value: string | number[]) => Uint8Array.from(typeof value === 'string' ? Buffer.from(value) : value)

test.each<[string, (footer: Thrift) => void]>([
  ['nothing', () => {}],
  [
    'a dictionary page at 0, which fastparquet writes for none',
    (footer) => {
      for (const column of [0, 1]) {
        for (const chunk of chunksOf(footer, column)) if (!chunk.field_3.field_11) chunk.field_3.field_11 = 0n
      }
    },
  ],
  [
    'keys and values that are not UTF-8',
    (footer) => {
      footer.field_5 = [{ field_1: text([0xff, 0xfe]), field_2: text([0xff, 0x00]) }, { field_1: text('alone') }]
    },
  ],
  [
    'an Arrow schema that is none',
    (footer) => {
      footer.field_5 = [{ field_1: text('ARROW:schema'), field_2: text('not base64!') }]
    },
  ],
  [
    'no number of rows',
    (footer) => {
      footer.field_3 = 0n
    },
  ],
  [
    'statistics of another shape',
    (footer) => {
      for (const chunk of chunksOf(footer, 2)) chunk.field_3.field_16 = { field_2: [1, 2, 3] }
    },
  ],
  [
    'a column that no one asks for, of a codec that no one knows',
    (footer) => {
      for (const chunk of chunksOf(footer, 2)) chunk.field_3.field_4 = 99
    },
  ],
  [
    'page indexes that are not there',
    (footer) => {
      for (const chunk of chunksOf(footer, 0))
        Object.assign(chunk, { field_4: 4n, field_5: 10, field_6: 4n, field_7: 10 })
    },
  ],
])('a footer with %s loads', async (name, change) => {
  const expected = await load(rewritten('plain', () => {}))
  const loaded = await load(rewritten(name.replaceAll(/\W/g, '-'), change))
  expect(linesOf(loaded)).toEqual(linesOf(expected))
  expect(loaded.stats.rows).toBe(500)
  expect(loaded.plan.rows).toBe(500)
})

test('a hundred row groups of five rows load as three of two hundred', async () => {
  const many = parquetBytes(pairColumns(rows), { rowGroupSize: 5 })
  const path = rewritten('many', () => {}, many)
  const plan = await planLoad({ sources: [{ name: 'haves', uri: path }] })
  expect(plan.sources[0].files[0]).toMatchObject({ rowGroups: 100, rows: 500 })
  expect(linesOf(await load(path))).toEqual(linesOf(await load(rewritten('plain', () => {}))))
})

test('an encrypted file is called that', async () => {
  const footer = join(folder, 'encrypted-footer.parquet')
  writeFileSync(footer, Buffer.concat([plain.subarray(0, plain.length - 4), Buffer.from('PARE')]))
  await expect(load(footer)).rejects.toMatchObject({
    code: 'encrypted',
    message: expect.stringContaining('its footer is'),
  })
  const withKey = { field_1: {} }
  const secret = (column: number) => (footer: Thrift) => {
    for (const chunk of chunksOf(footer, column)) chunk.field_8 = withKey
  }
  await expect(load(rewritten('secret', secret(1)))).rejects.toMatchObject({
    code: 'encrypted',
    message: expect.stringContaining('the pages of column "release_id" are'),
  })
  // Another column's pages are its own affair.
  expect((await load(rewritten('secret-other', secret(2)))).stats.rows).toBe(500)
})
