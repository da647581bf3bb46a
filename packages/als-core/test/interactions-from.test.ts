import { Decimal, Float64, makeVector, Table, tableFromArrays, Utf8, vectorFromArray } from 'apache-arrow'
import { describe, expect, it, test } from 'vitest'
import { type Interactions, type InteractionsOptions, interactionsFrom, splitByTime, train } from '../src/index.ts'
import { valueAt } from '../src/matrix/entries.ts'
import { random } from './recommend-model.ts'

interface Play {
  listener: string
  record: number
  plays: number
  at: Date
}

const fields = { user: 'listener', item: 'record', value: 'plays', time: 'at' }

/** Rows in no order, with pairs that come several times; more than one doubling of the tables, 1024 and 2048 rows among them. */
function makePlays(rows: number, seed: number): Play[] {
  const next = random(seed)
  return Array.from({ length: rows }, () => ({
    listener: `l${Math.floor((rows / 3 + 1) * next())}`,
    record: Math.floor((rows / 5 + 1) * next()) - 7,
    plays: 1 + Math.floor(9 * next()),
    at: new Date(1_600_000_000_000 + Math.floor(1e9 * next())),
  }))
}

/** The interactions as lines, by a plain map. */
function plainLines(plays: readonly Play[], duplicates: 'max' | 'sum' | 'last'): string[] {
  const pairs = new Map<string, { value: number; at: number }>()
  for (const { listener, record, plays: value, at } of plays) {
    const key = `${listener} ${record}`
    const before = pairs.get(key)
    if (!before) pairs.set(key, { value, at: at.getTime() })
    else if (duplicates === 'max') before.value = Math.max(before.value, value)
    else if (duplicates === 'sum') before.value += value
    else if (at.getTime() >= before.at) pairs.set(key, { value, at: at.getTime() })
  }
  return [...pairs].map(([key, { value }]) => `${key} ${value}`).sort()
}

function linesOf({ matrix, userIds, itemIds }: Interactions, side: Interactions['matrix'] = matrix): string[] {
  const { csr, codebook } = side
  const lines: string[] = []
  for (let user = 0; user < side.users; user++) {
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      lines.push(
        `${userIds.at(user)} ${itemIds.at(csr.indices[e])} ${codebook ? codebook[csr.values[e]] : csr.values[e]}`,
      )
    }
  }
  return lines.sort()
}

describe.each(['max', 'sum', 'last'] as const)('duplicates: %s', (duplicates) => {
  it.each([1, 2, 1023, 1024, 1025, 2049])('%d rows are merged as a plain map merges them', async (rows) => {
    const plays = makePlays(rows, rows)
    const found = await interactionsFrom(plays, { ...fields, duplicates })
    expect(linesOf(found)).toEqual(plainLines(plays, duplicates))
    expect(found.stats).toEqual({ rows, dropped: 0, merged: rows - found.matrix.entries })
    expect(found.interactionCounts.reduce((a, b) => a + b, 0)).toBe(found.matrix.entries)
    const numbers = Array.from(found.itemIds as Float64Array)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  })
})

test('every form of rows gives the same', async () => {
  const plays = makePlays(700, 3)
  const expected = await interactionsFrom(plays, fields)
  const columns = {
    listener: plays.map(({ listener }) => listener),
    record: Int32Array.from(plays, ({ record }) => record),
    plays: Float64Array.from(plays, ({ plays }) => plays),
    at: BigInt64Array.from(plays, ({ at }) => BigInt(at.getTime())),
  }
  const arrow = new Table({
    listener: vectorFromArray(columns.listener, new Utf8()),
    record: vectorFromArray(columns.record),
    plays: vectorFromArray([...columns.plays], new Float64()),
    at: vectorFromArray(columns.at),
  })
  async function* stream() {
    for (const play of plays) yield play
  }
  async function* batches() {
    for (const batch of arrow.slice(0, 300).batches) yield batch
    for (const batch of arrow.slice(300).batches) yield batch
  }
  const forms = { iterable: new Set(plays), stream: stream(), columns, arrow, batches: batches(), list: arrow.batches }
  for (const [name, rows] of Object.entries(forms)) {
    const found = await interactionsFrom(rows as never, fields)
    expect(found.matrix, name).toEqual(expected.matrix)
    expect(
      Array.from({ length: found.userIds.length }, (_, row) => found.userIds.at(row)),
      name,
    ).toEqual(expected.userIds)
    expect(found.itemIds, name).toEqual(expected.itemIds)
  }
  const reversed = await interactionsFrom([...plays].reverse(), fields)
  expect(reversed.matrix).toEqual(expected.matrix)
})

test('splitAt: both sides on the same ids, nothing known is to be found', async () => {
  const plays = makePlays(900, 5)
  const splitAt = new Date(1_600_000_700_000)
  const found = await interactionsFrom(plays, { ...fields, splitAt })
  const early = plays.filter(({ at }) => at < splitAt)
  const late = plays.filter(({ at }) => at >= splitAt)
  expect(linesOf(found)).toEqual(plainLines(early, 'max'))
  const known = new Set(plainLines(early, 'max').map((line) => line.replace(/ \d+$/, '')))
  const toFind = plainLines(late, 'max').filter((line) => !known.has(line.replace(/ \d+$/, '')))
  expect(linesOf(found, found.test)).toEqual(toFind)
  expect(found.userIds).toHaveLength(new Set(plays.map(({ listener }) => listener)).size)
})

// Tables of ids double at 1,024 ids and 16,384 bytes.
test.each([1023, 1024, 1025, 2048, 5000])('%d ids of any length keep their rows', async (count) => {
  const next = random(count)
  const letters = [...'abé\uFB01\u{1F3B5}']
  const idOf = (n: number) => `${letters[n % 5].repeat(n % 7)}${n}${'x'.repeat(n % 97 === 0 ? 3000 : 0)}`
  const order = Array.from({ length: 3 * count }, (_, n) => (n < count ? n : Math.floor(count * next())))
  const rows = order.map((n) => ({ user: idOf(n), item: n % 10, value: n + 1 }))
  const { matrix, userIds } = await interactionsFrom(rows, { user: 'user', item: 'item', value: 'value' })
  const ids = [...(userIds as string[])]
  expect(ids).toEqual(ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
  expect(ids).toHaveLength(count)
  const { csr, codebook } = matrix
  const wrong = order.filter((n) => {
    const row = ids.indexOf(idOf(n))
    const value = codebook ? codebook[csr.values[csr.indptr[row]]] : csr.values[csr.indptr[row]]
    return csr.indptr[row + 1] - csr.indptr[row] !== 1 || value !== n + 1
  })
  expect(wrong).toEqual([])
})

test('ids in the order of UTF-8, bigints as numbers, nulls dropped on request, and a model from it', async () => {
  const rows = [
    { user: '\u{1F3B5}', item: 5n },
    { user: '\uFB01', item: 9_007_199_254_740_991n },
    { user: 'b', item: -3n },
    { user: 'ab', item: 5n },
    { user: null, item: 5n },
  ]
  const found = await interactionsFrom(rows, { user: 'user', item: 'item', nulls: 'drop' })
  expect(found.userIds).toEqual(['ab', 'b', '\uFB01', '\u{1F3B5}'])
  expect(found.itemIds).toEqual(Float64Array.of(-3, 5, Number.MAX_SAFE_INTEGER))
  expect(found.stats).toEqual({ rows: 5, dropped: 1, merged: 0 })
  const { userIds, itemIds, matrix } = found
  const model = await train(matrix, { factors: 2, iterations: 1, userIds, itemIds, threads: 1 })
  expect(model.itemIds!.at(1)).toBe(5)
})

test('what cannot be is refused by row', async () => {
  const refused = async (rows: unknown, options: Partial<InteractionsOptions>, message: string) =>
    await expect(interactionsFrom(rows as never, { user: 'u', item: 'i', ...options })).rejects.toThrow(message)
  const good = { u: 'a', i: 1 }
  await refused([], {}, 'There are no rows to learn from: 0 read, 0 dropped')
  await refused([good, { u: 1, i: 1 }], {}, 'Row 1: user is 1, a number, and those before are strings')
  await refused([good, { u: 'b', i: 1.5 }], {}, 'Row 1: item is 1.5, expected a string')
  await refused([{ u: '', i: 1 }], {}, 'Row 0: user is "", expected a string with at least one character')
  await refused([{ u: 'a\ud83c', i: 1 }], {}, 'The id "a\\ud83c" is no Unicode text')
  // Halves that would make a whole one after the other.
  await refused(
    [
      { u: 'a\ud83c', i: 1 },
      { u: '\udfb5b', i: 1 },
    ],
    {},
    'The id "a\\ud83c" is no Unicode text',
  )
  await refused([{ u: 'a', i: 2n ** 53n }], {}, 'beyond 2^53')
  await refused([good, { u: 'b', i: null }], {}, "Row 1: item is null. Pass nulls: 'drop'")
  await refused([{ user: 'a', i: 1 }], {}, 'Row 0 has no field "u": its fields are user, i.')
  await refused(
    [{ ...good, v: Number.NaN }],
    { value: 'v' },
    'Row 0: value is NaN, expected a finite number other than 0',
  )
  await refused([{ ...good, v: '3' }], { value: 'v' }, 'Row 0: value is "3"')
  await refused([{ ...good, v: 1e39 }], { value: 'v' }, 'Row 0: value is 1e+39')
  await refused([{ ...good, t: '2026-01-01' }], { time: 't' }, 'Row 0: time is "2026-01-01", expected a Date')
  await refused([{ ...good, t: 3 }], { time: 't', splitAt: 3 }, 'splitAt is 3: all rows are from then on')
  await refused([{ ...good, t: 3 }], { time: 't', splitAt: 4 }, 'splitAt is 4: all rows are before')
  await refused([good], { splitAt: 4 }, 'splitAt needs the name of the field `time`')
  await refused([good], { dupes: 'max' } as never, 'dupes is no option of interactionsFrom')
  await refused([good], { duplicates: 'mean' as never }, 'duplicates is "mean"')
  await refused([good, good], { duplicates: 'error' }, 'more than once')
  await refused({ u: ['a', 'b'], i: [1] }, {}, 'Column item has 1 rows, and user 2')
  await refused({ u: ['a'] }, {}, 'The rows have no column "i": they have u.')
  await refused(tableFromArrays({ u: [1] }), {}, 'The Arrow data have no column "i"')
  await refused('haves.csv', {}, 'rows is "haves.csv", expected an array')
  await refused(Promise.resolve([good]), {}, 'rows is a Promise, expected what it gives: await it.')
  await refused([{ ...good, v: 1e39 }], { value: 'v' }, 'a finite number other than 0 in the range of float32')
  await refused(
    [{ ...good, t: null }],
    { time: 't' },
    "Row 0: time is null. Pass nulls: 'drop' to leave such rows out.",
  )
  const huge = [{ ...good, v: 3e38 }]
  await refused([...huge, ...huge], { value: 'v', duplicates: 'sum' }, 'duplicates add up to more than float32 holds')
  await refused(
    [
      { ...good, v: 1 },
      { ...good, v: -1 },
    ],
    { value: 'v', duplicates: 'sum' },
    'duplicates add up to 0',
  )
  // MovieLens has seconds.
  await refused(
    [
      { ...good, t: 1_260_759_144 },
      { u: 'a', i: 2, t: 1_260_759_179 },
    ],
    { time: 't', splitAt: new Date('2009-12-14') },
    'all rows are before, from 1970-01-15T14:12:39.144Z to 1970-01-15T14:12:39.179Z.',
  )
  await refused(
    [
      { ...good, t: 3 },
      { ...good, t: 5 },
    ],
    { time: 't', splitAt: 4 },
    'all pairs from then on are in the rows before too',
  )
  await refused([good], { keepTimes: true }, 'keepTimes needs the name of the field `time`')
  await refused([good], { keepTimes: true, time: 't', splitAt: 4 }, 'leave out one of the two')
  await expect((interactionsFrom as (rows: unknown) => Promise<unknown>)([good])).rejects.toThrow(
    'The options are undefined, expected { user, item }, the names of two fields, at least.',
  )
})

test('a sum that is 0 on its way is none', async () => {
  const rows = [1, -1, 5].map((v) => ({ u: 'a', i: 1, v }))
  const { matrix } = await interactionsFrom(rows, { user: 'u', item: 'i', value: 'v', duplicates: 'sum' })
  expect(valueAt(matrix.csr, matrix.codebook, 0)).toBe(5)
})

test('rows without a time are dropped as those without an id', async () => {
  const rows = [null, 5, 50].map((at, i) => ({ u: 'a', i, at }))
  const { matrix, test, stats } = await interactionsFrom(rows, {
    ...{ user: 'u', item: 'i', time: 'at', nulls: 'drop', splitAt: 10 },
  })
  expect([matrix.entries, test?.entries, stats.dropped]).toEqual([1, 1, 1])
})

test.each([1, 1024, 3000])('keepTimes: %d rows split by time as splitAt splits them', async (count) => {
  const plays = [...makePlays(count, 11), { listener: 'last', record: 1, plays: 1, at: new Date(2e12) }]
  const splitAt = new Date(1_600_500_000_000)
  if (count === 1) plays[0].at = new Date(0)
  const whole = await interactionsFrom(plays, { ...fields, keepTimes: true })
  const first = new Map<string, number>()
  for (const { listener, record, at } of plays) {
    const key = `${listener} ${record}`
    first.set(key, Math.min(first.get(key) ?? Number.POSITIVE_INFINITY, at.getTime()))
  }
  const keys = linesOf(whole, {
    ...whole.matrix,
    csr: { ...whole.matrix.csr, values: whole.times as never },
    codebook: undefined,
  })
  expect(keys).toEqual([...first].map(([key, at]) => `${key} ${at}`).sort())
  const divided = await interactionsFrom(plays, { ...fields, splitAt })
  const { train, test } = splitByTime(whole, splitAt)
  const pairs = (lines: string[]) => lines.map((line) => line.slice(0, line.lastIndexOf(' ')))
  expect(pairs(linesOf(whole, train))).toEqual(pairs(linesOf(divided, divided.matrix)))
  expect(pairs(linesOf(whole, test))).toEqual(pairs(linesOf(divided, divided.test)))
})

test('decimals of Arrow are numbers', async () => {
  const words = (integer: bigint) =>
    Array.from({ length: 4 }, (_, n) => Number((BigInt.asUintN(128, integer) >> BigInt(32 * n)) & 0xffff_ffffn))
  const decimal = (scale: number, integers: bigint[]) =>
    makeVector({
      ...{ type: new Decimal(scale, 20, 128), length: integers.length, nullCount: 0 },
      data: Uint32Array.from(integers.flatMap(words)),
    })
  const table = new Table({
    u: decimal(0, [7n, 2n ** 40n]),
    i: vectorFromArray(['x', 'y'], new Utf8()),
    v: decimal(2, [250n, -125n]),
  })
  const found = await interactionsFrom(table, { user: 'u', item: 'i', value: 'v' })
  expect(linesOf(found)).toEqual([`${2 ** 40} y -1.25`, '7 x 2.5'])
})

describe('a signal', () => {
  const fields = { user: 'u', item: 'i' }
  const row = { u: 'a', i: 'b' }

  it('ends a stream that waits, which is told to close', async () => {
    const controller = new AbortController()
    let returned = 0
    const hung = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          controller.abort(new Error('enough'))
          return new Promise<IteratorResult<object>>(() => {})
        },
        return: async () => {
          returned++
          return { done: true as const, value: undefined }
        },
      }),
    }
    await expect(interactionsFrom(hung, { ...fields, signal: controller.signal })).rejects.toThrow('enough')
    expect(returned).toBe(1)
  })

  it('ends a stream and a generator in the middle, and what has not begun', async () => {
    for (const isAsync of [true, false]) {
      const controller = new AbortController()
      let closed = false
      const rows = (function* () {
        try {
          for (let n = 0; n < 1e6; n++) {
            if (n === 5000) controller.abort(new Error('enough'))
            yield row
          }
        } finally {
          closed = true
        }
      })()
      const source = isAsync
        ? (async function* () {
            yield* rows
          })()
        : rows
      await expect(interactionsFrom(source, { ...fields, signal: controller.signal })).rejects.toThrow('enough')
      expect(closed).toBe(true)
      await expect(interactionsFrom([row], { ...fields, signal: controller.signal })).rejects.toThrow('enough')
    }
  })

  it('changes nothing when it is not aborted', async () => {
    async function* stream(): AsyncGenerator<object> {
      for (let n = 0; n < 3000; n++) yield { u: n % 40, i: n % 7 }
    }
    const { signal } = new AbortController()
    const found = await interactionsFrom(stream(), { ...fields, signal })
    expect(found.stats.rows).toBe(3000)
    expect(linesOf(found)).toEqual(linesOf(await interactionsFrom(stream(), fields)))
  })
})
