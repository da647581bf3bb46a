import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadInteractions } from '@seesaw/loader'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { beforeAll, describe, expect, test } from 'vitest'
import { type SparkSource, trainOnSpark } from '../src/index.ts'
import { linesOfLoader, linesOfSpark, readParquet } from './entries.ts'
import { counted, type Shop, shopSources, writeShop } from './shop.ts'
import { absent, type Outcome, processesWith, runMany, sparkOptions, temporaryFolder } from './spark.ts'

const folder = temporaryFolder()

const shops: Record<string, Shop> = {
  // Multiples of 13 from a million on.
  'int32 ids': { user: (n) => 1_000_000 + 13 * n, item: (n) => 7 * n },
  'ids beyond 2^31': {
    user: (n) => 3_000_000_000n + 5_000_000_000n * BigInt(n),
    item: (n) => 2n ** 53n - 1n - BigInt(n),
  },
  'string ids': { user: (n) => `collector-${n}`, item: (n) => ['ä', 'Z', '😀', '￿'][n % 4] + n },
}

const sourcesOf = (shop: string, sample: number): SparkSource[] => [
  ...shopSources((name) => join(folder, shop, name)).map((source) => ({ ...source, sample })),
  {
    name: 'plays',
    uri: join(folder, shop, 'plays'),
    item: 'release_id',
    sample,
    confidence: { column: 'plays', weight: 'log1p', factor: 2 },
  },
]

const cases = [
  { shop: 'int32 ids', sample: 0.3 },
  { shop: 'ids beyond 2^31', sample: 0.3 },
  { shop: 'string ids', sample: 1 },
].map((each) => ({ ...each, name: `${each.shop}, sample ${each.sample}` }))

const thresholds = { user: 12, item: 20 }
const jobOf = ({ shop, sample, name }: (typeof cases)[number]) => ({
  sources: sourcesOf(shop, sample),
  thresholds,
  iterations: 0,
  directory: join(folder, 'out', name),
})

describe.skipIf(absent)('the passes on Spark', () => {
  let outcomes: Record<string, Outcome>
  beforeAll(async () => {
    for (const [name, shop] of Object.entries(shops)) writeShop(join(folder, name), shop, 1)
    const source = (name: string, more: Partial<SparkSource> = {}) => ({
      ...sourcesOf('int32 ids', 1).find((each) => each.name === name)!,
      ...more,
    })
    const plan = (...sources: SparkSource[]) => ({ sources, iterations: 0, directory: join(folder, 'out', 'none') })
    mkdirSync(join(folder, 'nothing'))
    writeFileSync(join(folder, 'nothing', 'README.txt'), 'Nothing yet.')
    writeFileSync(
      join(folder, 'large.parquet'),
      Buffer.from(
        parquetWriteBuffer({
          columnData: [
            { name: 'user_id', data: [1n, 2n ** 53n], type: 'INT64' },
            { name: 'release_id', data: [1n, 1n], type: 'INT64' },
          ],
        }),
      ),
    )
    outcomes = await runMany(folder, [
      ...cases.map((each) => [each.name, jobOf(each)] as const),
      ['again', jobOf(cases[0])],
      // A tenth of a play weighs less than 1.
      ['again, to train', { ...jobOf(cases[0]), iterations: 1 }],
      ['other thresholds', { ...jobOf(cases[2]), thresholds: { user: 10_000 } }],
      ['no folder', plan(source('haves', { uri: join(folder, 'nowhere') }))],
      ['no data', plan(source('haves', { uri: join(folder, 'nothing') }))],
      ['no column', plan(source('haves', { user: 'collector' }))],
      ['two kinds', plan(source('haves'), { ...source('wants'), uri: join(folder, 'string ids', 'wants') })],
      ['not a number', plan({ ...source('haves'), confidence: { column: 'user_id', values: { good: 2 } } })],
      [
        'too large',
        { ...plan(source('haves', { uri: join(folder, 'large.parquet') })), thresholds: { user: 1, item: 1 } },
      ],
    ])
  })

  test.for(cases)('are those of the loader, entry by entry: $name', async (each) => {
    const { shop, sample, name } = each
    const loaded = await loadInteractions({ sources: sourcesOf(shop, sample), thresholds, threads: 2 })
    const lines = linesOfLoader(loaded)
    expect(lines.length).toBeGreaterThan(500)
    expect(await linesOfSpark(jobOf(each).directory)).toEqual(lines)
    for (const [side, column] of [
      ['users', loaded.userIds],
      ['items', loaded.itemIds],
    ] as const) {
      const ids = await readParquet<{ id: bigint | string; row: number }>(join(jobOf(each).directory, 'ids', side))
      const expected = Array.from({ length: column.length }, (_, row) => `${column.at(row)} ${row}`)
      expect(ids.sort((a, b) => a.row - b.row).map(({ id, row }) => `${id} ${row}`)).toEqual(expected)
    }
    // And read as they are, they are the same matrix.
    const read = await loadInteractions({
      sources: [
        {
          name: 'entries',
          uri: join(jobOf(each).directory, 'entries'),
          user: 'user',
          item: 'item',
          confidence: { column: 'value', weight: 'linear' },
        },
      ],
      thresholds: { user: 1, item: 1 },
      threads: 2,
    })
    const withoutRows = (line: string) => line.replace(/ \d+ \d+ (?=\S+$)/, ' ')
    expect(linesOfLoader(read).map(withoutRows)).toEqual(lines.map(withoutRows))
    const { stats } = loaded
    expect(outcomes[name]).toMatchObject({
      event: 'done',
      resumed: false,
      entries: stats.entries,
      users: counted(stats.users),
      items: counted(stats.items),
      sources: stats.sources.map(({ name, rows, counted, notSampled, withoutConfidence, nullIds, negativeIds }) => ({
        ...{ name, rows, counted, notSampled, withoutConfidence, nullIds, negativeIds },
      })),
    })
  })

  test('are taken up by the next run, of the same files and settings alone', () => {
    const { seconds: _, writtenAt: __, ...first } = outcomes[cases[0].name]
    expect(outcomes.again).toMatchObject({ ...first, resumed: true })
    expect(Object.keys(outcomes.again.seconds as object)).toEqual(['plan'])
    expect(outcomes['other thresholds'].code).toBe('empty')
  })

  test.for([
    [
      'again, to train',
      'confidence',
      /^The least confidence is 0\.\d+, with alpha 1 it is 0\.\d+; Spark's ALS needs more than 1/,
    ],
    ['other thresholds', 'empty', /^Nothing is left: of 4\d\d users, none has 10000 rows\. Lower thresholds\.user/],
    ['no folder', 'missing', /^Source "haves": no Parquet file at file:.*nowhere\. Expected a folder/],
    ['no data', 'missing', /^Source "haves": no Parquet file at file:.*nothing\. Expected a folder/],
    [
      'no column',
      'schema',
      /column "collector": found no such column \(it has: user_id, release_id\), expected a column of user ids/,
    ],
    [
      'two kinds',
      'schema',
      /^All sources need user ids of one kind, strings or integers: "haves" has integers, "wants" has strings/,
    ],
    ['not a number', 'schema', /column "user_id": found int, expected strings like the values given/],
    [
      'too large',
      'ids',
      /^user ids reach 9007199254740992; ids from 2\^53 on cannot be held exactly\. Store them as strings/,
    ],
  ] as const)('say what is wrong: %s', ([name, code, message]) => {
    expect(outcomes[name]).toMatchObject({ event: 'failed', code, message: expect.stringMatching(message) })
  })

  test('SIGTERM while it trains: no process, no temporary file, no checkpoint; the entries stay', async () => {
    const controller = new AbortController()
    const phases = new Set<string>()
    const temporary = () => readdirSync(tmpdir()).filter((name) => /^(seesaw-spark|blockmgr|spark)-(?!test)/.test(name))
    const before = new Set(temporary())
    const spark = sparkOptions()
    const directory = jobOf(cases[1]).directory
    let workers: string[] = []
    let checkpoint = false
    const run = trainOnSpark({
      ...jobOf(cases[1]),
      sources: sourcesOf(cases[1].shop, cases[1].sample),
      // Above 1 with the least play.
      alpha: 10,
      factors: 4,
      iterations: 1000,
      blocks: 2,
      spark: { ...spark, environment: { ...spark.environment, SPARK_TEST: folder } },
      signal: controller.signal,
      onProgress: ({ phase, done }) => {
        phases.add(phase)
        if (phase !== 'train' || done < 6 || controller.signal.aborted) return
        workers = processesWith(`SPARK_TEST=${folder}`)
        checkpoint = existsSync(join(directory, 'checkpoint'))
        controller.abort(new Error('SIGTERM'))
      },
    })
    await expect(run).rejects.toThrow('SIGTERM')
    // What an earlier run had left was taken up.
    expect([...phases]).toEqual(['start', 'plan', 'train'])
    // Java and Python were there.
    expect(workers.length).toBeGreaterThanOrEqual(2)
    expect(processesWith(`SPARK_TEST=${folder}`)).toEqual([])
    expect(checkpoint).toBe(true)
    const left = readdirSync(directory).filter((name) => !name.startsWith('.'))
    expect(left.sort()).toEqual(['entries', 'entries.json', 'ids'])
    expect(temporary().filter((name) => !before.has(name))).toEqual([])
  })
})
