import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type InteractionMatrix, splitByTime } from '@seesaw/als-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LoadedInteractions, type LoadOptions, loadInteractions } from '../src/index.ts'
import { ratingColumns, signals, temporaryFolder, writeParquet } from './parquet-files.ts'
import { isTransposed, valueAt } from './reference.ts'

const folder = temporaryFolder()
let duckdb: Awaited<ReturnType<DuckDBInstance['connect']>>
beforeAll(async () => {
  duckdb = await (await DuckDBInstance.create()).connect()
  for (const [name, rows, seed] of [
    ['haves', 60_000, 1],
    ['ratings', 30_000, 2],
  ] as const) {
    // Users and items in no order, pairs that come early, late and both, whole days so that some fall on the split.
    const some = signals(rows, 900, 700, seed)
    const happened = BigInt64Array.from(some, ({ time = 0 }) => BigInt(time - (time % 86_400_000)))
    const columns = [...ratingColumns(some), { name: 'happened', data: happened, type: 'INT64' as const }]
    const path = writeParquet(join(folder, `${name}.parquet`), columns, { rowGroupSize: 10_240 })
    await duckdb.run(`CREATE VIEW ${name} AS FROM '${path}'`)
  }
})
afterAll(() => duckdb.closeSync())

const at = new Date('2022-01-01')
const time = { column: 'happened', unit: 'ms' as const }
const options = (): LoadOptions => ({
  sources: [
    { name: 'haves', uri: join(folder, 'haves.parquet'), confidence: 3, time },
    {
      name: 'ratings',
      uri: join(folder, 'ratings.parquet'),
      confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } },
      time,
    },
  ],
  threads: 2,
})

/** Rows that count: of users with `user` rows and items with `item`. */
const active = ({ user, item }: { user: number; item: number }) => `
  rated AS (SELECT user_id, release_id, happened, 3 AS value FROM haves UNION ALL
    SELECT user_id, release_id, happened, CASE rating WHEN 5 THEN 5 WHEN 4 THEN 4 ELSE 2 END FROM ratings WHERE rating >= 3),
  counted AS (SELECT * FROM rated WHERE
    user_id IN (SELECT user_id FROM rated GROUP BY 1 HAVING count(*) >= ${user}) AND
    release_id IN (SELECT release_id FROM rated GROUP BY 1 HAVING count(*) >= ${item}))`

async function ask(query: string): Promise<string[]> {
  return (await duckdb.runAndReadAll(query)).getRowsJS().map((row) => row.join(' '))
}

const early = 'SELECT user_id, release_id, VALUE FROM counted WHERE happened < MOMENT GROUP BY 1, 2 ORDER BY 1, 2'
const late = `SELECT user_id, release_id, VALUE FROM counted WHERE happened >= MOMENT AND (user_id, release_id) NOT IN
  (SELECT (user_id, release_id) FROM counted WHERE happened < MOMENT) GROUP BY 1, 2 ORDER BY 1, 2`
const sideOf = (query: string, thresholds: { user: number; item: number }, value: string) =>
  ask(`WITH ${active(thresholds)} ${query.replaceAll('MOMENT', String(at.getTime())).replace('VALUE', value)}`)

function linesOf({ userIds, itemIds }: LoadedInteractions, matrix: InteractionMatrix): string[] {
  const lines: string[] = []
  for (let user = 0; user < matrix.users; user++) {
    for (let e = matrix.csr.indptr[user]; e < matrix.csr.indptr[user + 1]; e++) {
      lines.push(`${userIds.at(user)} ${itemIds.at(matrix.csr.indices[e])} ${valueAt(matrix, 'csr', e)}`)
    }
  }
  return lines
}

/** Compared by their first difference: a table of ten thousand lines takes minutes to print. */
function expectSame(found: string[], expected: string[]): void {
  const different = expected.findIndex((line, i) => found[i] !== line)
  expect({ lines: found.length, first: found[different] }).toEqual({
    lines: expected.length,
    first: expected[different],
  })
}

describe('split', () => {
  const values = { max: 'max(value)', sum: 'sum(value)', last: 'max_by(value, happened * 10 + value)' }
  test.each([
    ['max', { user: 1, item: 1 }],
    ['max', { user: 60, item: 120 }],
    ['sum', { user: 60, item: 1 }],
    ['last', { user: 1, item: 120 }],
  ] as const)('%s with thresholds %o: both sides are what DuckDB makes of the rows', async (merge, thresholds) => {
    const loaded = await loadInteractions({ ...options(), merge, thresholds, split: { at } })
    expectSame(linesOf(loaded, loaded.matrix), await sideOf(early, thresholds, values[merge]))
    expectSame(linesOf(loaded, loaded.test!), await sideOf(late, thresholds, values[merge]))
    expect([isTransposed(loaded.matrix), isTransposed(loaded.test!)]).toEqual([true, true])
    const whole = await loadInteractions({ ...options(), merge, thresholds })
    expect(loaded.userIds).toEqual(whole.userIds)
    expect(loaded.itemIds).toEqual(whole.itemIds)
    const { csc, items } = loaded.matrix
    expect(loaded.interactionCounts).toEqual(
      Uint32Array.from({ length: items }, (_, item) => csc.indptr[item + 1] - csc.indptr[item]),
    )
  })

  test('within a budget, through temporary files, and on any number of threads the arrays are the same', async () => {
    const free = await loadInteractions({ ...options(), merge: 'sum', split: { at } })
    const { ids, working } = free.plan.memory
    const temporaryDirectory = temporaryFolder()
    const bound = await loadInteractions({
      ...options(),
      merge: 'sum',
      split: { at },
      memoryBudget: ids + working / 10,
      temporaryDirectory,
    })
    const alone = await loadInteractions({ ...options(), merge: 'sum', split: { at }, threads: 1 })
    expect(bound.plan.spill).toBe(true)
    for (const other of [bound, alone]) {
      expect(other.matrix).toEqual(free.matrix)
      expect(other.test).toEqual(free.test)
    }
    expect(readdirSync(temporaryDirectory)).toEqual([])
  })

  test('is planned with the later side beside the area', async () => {
    const whole = await loadInteractions(options())
    const { plan } = await loadInteractions({ ...options(), split: { at } })
    const users = plan.users.atMost
    expect(plan.memory.working - whole.plan.memory.working).toBe(5 * plan.sampledRows)
    expect(plan.memory.ids - whole.plan.memory.ids).toBe(12 * users)
  })

  test('with repeat, the core of what is learned from decides about both sides', async () => {
    const whole = await loadInteractions({ ...options(), thresholds: { user: 15, item: 12 }, split: { at } })
    const thresholds = { user: 15, item: 12, repeat: true }
    const core = await loadInteractions({ ...options(), thresholds, split: { at } })
    let left = linesOf(whole, whole.matrix).map((line) => line.split(' '))
    for (let before = -1; before !== left.length; ) {
      before = left.length
      const [users, items] = [0, 1].map((side) => Map.groupBy(left, (line) => line[side]))
      left = left.filter(([user, item]) => users.get(user)!.length >= 15 && items.get(item)!.length >= 12)
    }
    const [users, items] = [0, 1].map((side) => new Set(left.map((line) => line[side])))
    const later = linesOf(whole, whole.test!).map((line) => line.split(' '))
    const ofBoth = later.filter(([user, item]) => users.has(user) && items.has(item))
    expect(left.length).toBeGreaterThan(1000)
    expect(ofBoth.length).toBeLessThan(later.length)
    expectSame(
      linesOf(core, core.matrix),
      left.map((line) => line.join(' ')),
    )
    expectSame(
      linesOf(core, core.test!),
      ofBoth.map((line) => line.join(' ')),
    )
    expect([isTransposed(core.matrix), isTransposed(core.test!)]).toEqual([true, true])
  })

  test('names what is wrong', async () => {
    const { sources } = options()
    await expect(loadInteractions({ ...options(), split: { at: new Date(0) } })).rejects.toThrow(
      'split.at is 1970-01-01T00:00:00.000Z: all pairs of the rows that count are from then on',
    )
    await expect(loadInteractions({ ...options(), split: { at: new Date('2030-01-01') } })).rejects.toThrow(
      'nothing is left to find',
    )
    const timeless = [{ ...sources[0], time: undefined }]
    await expect(loadInteractions({ sources: timeless, split: { at } })).rejects.toThrow('split needs a `time`')
    await expect(loadInteractions({ sources: timeless, keepTimes: true })).rejects.toThrow('times need a `time`')
    await expect(loadInteractions({ ...options(), split: { at }, keepTimes: true })).rejects.toThrow('leave out one')
  })
})

describe('keepTimes', () => {
  const first = 'SELECT user_id, release_id, VALUE FROM counted GROUP BY 1, 2 ORDER BY 1, 2'

  test.each(['max', 'sum', 'last'] as const)('%s: an entry has the time of its first row', async (merge) => {
    const thresholds = { user: 60, item: 120 }
    const loaded = await loadInteractions({ ...options(), merge, thresholds, keepTimes: true })
    const values = linesOf(loaded, loaded.matrix)
    const found = values.map((line, e) => `${line.replace(/ [^ ]+$/, '')} ${loaded.times![e]}`)
    expectSame(found, await sideOf(first, thresholds, 'min(happened)'))
    const { matrix } = await loadInteractions({ ...options(), merge, thresholds })
    expect(loaded.matrix).toEqual(matrix)
    const { ids, working } = loaded.plan.memory
    const bound = await loadInteractions({
      ...options(),
      merge,
      thresholds,
      keepTimes: true,
      memoryBudget: ids + working / 10,
      temporaryDirectory: folder,
    })
    expect(bound.plan.spill).toBe(true)
    expect(bound.times).toEqual(loaded.times)
    expect(bound.matrix).toEqual(matrix)
  })

  test('splitByTime finds the pairs that a split of the load finds', async () => {
    const loaded = await loadInteractions({ ...options(), keepTimes: true })
    const divided = await loadInteractions({ ...options(), split: { at } })
    const { train, test: later } = splitByTime(loaded, at)
    expect(train.csr.indices).toEqual(divided.matrix.csr.indices)
    expect(train.csr.indptr).toEqual(divided.matrix.csr.indptr)
    expect(later.csr.indices).toEqual(divided.test!.csr.indices)
    expect(() => splitByTime(divided, at)).toThrow('the load needs `keepTimes: true`')
    expect(() => splitByTime({ ...loaded, times: [1] }, at)).toThrow('times has 1 entries')
  })

  test('with repeat, times go where their entries go', async () => {
    const thresholds = { user: 40, item: 40, repeat: true }
    const loaded = await loadInteractions({ ...options(), thresholds, keepTimes: true })
    const all = await loadInteractions({ ...options(), keepTimes: true })
    const label = (each: LoadedInteractions) => linesOf(each, each.matrix).map((line, e) => `${line} ${each.times![e]}`)
    const known = new Set(label(all))
    expect(loaded.times).toHaveLength(loaded.matrix.entries)
    expect(loaded.matrix.entries).toBeLessThan(all.matrix.entries)
    expect(label(loaded).filter((line) => !known.has(line))).toEqual([])
  })
})
