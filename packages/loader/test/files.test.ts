import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type LeftOut, loadInteractions, planItems, planLoad } from '../src/index.ts'
import { pairColumns, parquetBytes, temporaryFolder } from './parquet-files.ts'
import { testServer } from './s3-server.ts'

const server = testServer()
const folder = temporaryFolder()
const body = parquetBytes(pairColumns([{ user: 1, item: 10 }]))
const nothing = Buffer.alloc(0)

/** One tree, on disk and in S3. */
const TREE: Record<string, Buffer> = {
  'shop/a.parquet': body,
  'shop/b.PARQUET': body,
  'shop/c.parq': body,
  'shop/d.pq': body,
  'shop/20260101_120000_00001_abcde_1f0': body,
  'shop/day=1/a.parquet': body,
  'shop/day=2/_region=us/a.parquet': body,
  'shop/day=2/_temporary/0/a.parquet': body,
  'shop/day=2/.hidden/b.parquet': body,
  'shop/day=3_$folder$': nothing,
  'shop/_SUCCESS': nothing,
  'shop/_metadata': body,
  'shop/.a.parquet.crc': body,
  'shop/a.parquet.tmp': body,
  'shop/notes.csv': body,
  'export (1)/a.parquet': body,
  'step[a]/a.parquet': body,
  'stepa/b.parquet': body,
  'what?/a.parquet': body,
  'star*/a.parquet': body,
  'names {1,2}/a.parquet': body,
  'haves-old/a.parquet': body,
  'haves/a.parquet': body,
  'delta/part-0.parquet': body,
  'delta/part-1.parquet': body,
  'delta/_delta_log/00000000000000000000.json': body,
  'hudi/a.parquet': body,
  'hudi/.hoodie/hoodie.properties': body,
  'iceberg/data/a.parquet': body,
  'iceberg/metadata/v1.metadata.json': body,
  'only/notes.csv': body,
  'only/_old/a.parquet': body,
}

beforeAll(async () => {
  for (const [path, bytes] of Object.entries(TREE)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
    await server.put(path, bytes)
  }
  // What "Create folder" in the console makes.
  for (const marker of ['shop/', 'haves/', 'export (1)/']) await server.put(marker, nothing)
  await server.put('haves', nothing)
})

const both = [
  ['on disk', () => `${folder}/`],
  ['in S3', () => 's3://shop/'],
] as const

function plan(uri: string, more: object = {}) {
  const { endpoint, credentials } = server
  return planLoad({ sources: [{ name: 'haves', uri, ...more }], s3: { endpoint, credentials } })
}

async function namesOf(root: string, location: string, more: object = {}) {
  const [{ files, leftOut }] = (await plan(root + location, more)).sources
  return {
    read: files.map(({ uri }) => uri.slice(root.length)),
    leftOut: Object.fromEntries(leftOut.map(({ uri, reason }: LeftOut) => [uri.slice(root.length), reason])),
  }
}

const DATA = [
  'shop/20260101_120000_00001_abcde_1f0',
  'shop/a.parquet',
  'shop/b.PARQUET',
  'shop/c.parq',
  'shop/d.pq',
  'shop/day=1/a.parquet',
  'shop/day=2/_region=us/a.parquet',
]
const LEFT_OUT = {
  'shop/.a.parquet.crc': 'hidden',
  'shop/_SUCCESS': 'hidden',
  'shop/_metadata': 'hidden',
  'shop/a.parquet.tmp': 'extension',
  'shop/day=2/.hidden': 'hidden',
  'shop/day=2/_temporary': 'hidden',
  'shop/day=3_$folder$': 'empty',
  'shop/notes.csv': 'extension',
}

describe.each(both)('%s', (_, root) => {
  test.each(['shop', 'shop/', 'shop/**', 'shop/*'])(
    '%s is the same files, and the same are left out',
    async (location) => {
      expect(await namesOf(root(), location)).toEqual({ read: DATA, leftOut: LEFT_OUT })
    },
  )

  test.each([
    ['shop/*.{parquet,pq}', ['shop/a.parquet', 'shop/d.pq']],
    ['shop/**/*.parquet', ['shop/a.parquet', 'shop/day=1/a.parquet', 'shop/day=2/_region=us/a.parquet']],
    ['shop/day=?', ['shop/day=1/a.parquet', 'shop/day=2/_region=us/a.parquet']],
    ['shop/day=[12]/*.parquet', ['shop/day=1/a.parquet']],
    ['s*p/day=1/', ['shop/day=1/a.parquet']],
    ['shop/_metadata', ['shop/_metadata']],
    ['shop/day=2/_temporary/0', ['shop/day=2/_temporary/0/a.parquet']],
    ['shop/day=2/_temporary/*/a.parquet', ['shop/day=2/_temporary/0/a.parquet']],
    ['shop/notes.csv', ['shop/notes.csv']],
    ['haves', ['haves/a.parquet']],
    ['export (1)', ['export (1)/a.parquet']],
    ['export (1)/*.parquet', ['export (1)/a.parquet']],
    ['export (?)/*', ['export (1)/a.parquet']],
    // As it is written first, a pattern only where nothing has that name.
    ['step[a]/', ['step[a]/a.parquet']],
    ['step[a]/*', ['stepa/b.parquet']],
    ['step[[]a]/*', ['step[a]/a.parquet']],
    ['what?', ['what?/a.parquet']],
    ['star*', ['star*/a.parquet']],
    ['star[*]/a.parquet', ['star*/a.parquet']],
    ['names {1,2}/a.parquet', ['names {1,2}/a.parquet']],
  ])('%s', async (location, files) => {
    expect((await namesOf(root(), location)).read).toEqual(files)
  })

  test('a partition that begins with "_" can be asked for', async () => {
    const { read } = await namesOf(root(), 'shop', { partitions: { _region: 'us' } })
    expect(read).toEqual(['shop/day=2/_region=us/a.parquet'])
  })

  test.each([
    ['delta', /Delta Lake .*_delta_log.*file_uris\(\)/],
    ['delta/*.parquet', /Delta Lake/],
    ['delta/part-*.parquet', /Delta Lake/],
    ['hudi', /Apache Hudi/],
    ['iceberg', /Apache Iceberg/],
    ['iceberg/**', /Apache Iceberg/],
  ])('%s is refused: its folder holds earlier versions too', async (location, message) => {
    await expect(plan(root() + location)).rejects.toThrow(message)
  })

  test('files of a table of which the current ones are known are read', async () => {
    const files = [`${root()}delta/part-1.parquet`]
    expect((await plan(root(), { uri: undefined, files })).files).toBe(1)
  })

  test('a folder without data says what it has', async () => {
    await expect(plan(`${root()}only`)).rejects.toThrow(/no Parquet file at .*only.*_old \(hidden\) and 1 more/)
    await expect(plan(`${root()}none*/`)).rejects.toThrow(/no Parquet file at .*none\*\/.*check the spelling/)
  })

  test('a catalogue is found by the same rule', async () => {
    const { endpoint, credentials } = server
    const found = await planItems({ source: `${root()}shop`, id: 'release_id', s3: { endpoint, credentials } })
    expect({ files: found.files, leftOut: found.leftOut.length }).toEqual({ files: DATA.length, leftOut: 8 })
  })
})

describe('symbolic links', () => {
  const at = (path: string) => join(folder, path)
  const plain = async (location: string) =>
    (await namesOf(`${folder}/`, location)) as { read: string[]; leftOut: object }

  test('are followed, to files and folders, each file once', async () => {
    mkdirSync(at('linked/days'), { recursive: true })
    mkdirSync(at('linked/blobs'))
    writeFileSync(at('linked/blobs/1'), body)
    writeFileSync(at('linked/blobs/2.parquet'), body)
    writeFileSync(at('linked/days/own.parquet'), body)
    symlinkSync('../blobs/1', at('linked/days/day1.parquet'))
    symlinkSync('../blobs', at('linked/days/old'))
    symlinkSync('..', at('linked/days/up'))
    expect(await plain('linked/days')).toEqual({
      // "up" leads to the blobs once more, and not back into the days.
      read: ['linked/days/day1.parquet', 'linked/days/old/2.parquet', 'linked/days/own.parquet'],
      leftOut: {
        'linked/days/old/1': 'duplicate',
        'linked/days/up/blobs/1': 'duplicate',
        'linked/days/up/blobs/2.parquet': 'duplicate',
      },
    })
  })

  test('to nothing are an error when they are named as data, and nothing otherwise', async () => {
    mkdirSync(at('broken'))
    writeFileSync(at('broken/a.parquet'), body)
    symlinkSync('nowhere', at('broken/notes'))
    expect((await plain('broken')).read).toEqual(['broken/a.parquet'])
    symlinkSync('nowhere.parquet', at('broken/b.parquet'))
    await expect(plan(at('broken'))).rejects.toThrow(/b.parquet is a symbolic link to a file that does not exist/)
  })
})

test('the plan of a load says what was left out', async () => {
  const loaded = await loadInteractions({
    sources: [{ name: 'haves', uri: join(folder, 'shop') }],
    thresholds: { user: 1, item: 1 },
    threads: 1,
  })
  expect(loaded.stats.rows).toBe(DATA.length)
  expect(loaded.plan.sources[0].leftOut).toHaveLength(8)
})
