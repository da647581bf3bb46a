import { describe, expect, it } from 'vitest'
import {
  evaluate,
  holdOutUsers,
  type InteractionMatrix,
  itemNeighbours,
  leaveKOut,
  splitByTime,
  splitRandomly,
} from '../src/index.ts'
import { makeInteractions, random } from './recommend-model.ts'

const matrix = makeInteractions(200, 90, 12, 8)

/** "user item value" of every entry. */
function entries({ csr, codebook, users }: InteractionMatrix, userOf = (row: number) => row): string[] {
  const list: string[] = []
  for (let user = 0; user < users; user++) {
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      list.push(`${userOf(user)} ${csr.indices[e]} ${codebook ? codebook[csr.values[e]] : csr.values[e]}`)
    }
  }
  return list.sort()
}

/** Nothing is lost, nothing is on both sides. */
function expectDivided(source: string[], ...parts: string[][]): void {
  expect(parts.flat().sort()).toEqual(source)
  expect(new Set(parts.flat()).size).toBe(source.length)
}

const perUser = ({ csr, users }: InteractionMatrix) =>
  Array.from({ length: users }, (_, u) => csr.indptr[u + 1] - csr.indptr[u])

describe('splits', () => {
  it('leave k out of each user who has more', () => {
    const { train, test } = leaveKOut(matrix, 11)
    expectDivided(entries(matrix), entries(train), entries(test))
    const before = perUser(matrix)
    expect(perUser(test)).toEqual(before.map((count) => (count > 11 ? 11 : 0)))
    expect(before.some((count) => count <= 11)).toBe(true)
  })

  it('move a random share', () => {
    const { train, test } = splitRandomly(matrix, 0.25)
    expectDivided(entries(matrix), entries(train), entries(test))
    expect(test.entries / matrix.entries).toBeCloseTo(0.25, 1)
  })

  it('part at a moment; what was known before is not to be found later', () => {
    const next = random(3)
    const rows = Uint32Array.from({ length: 500 }, () => Math.floor(20 * next()))
    const columns = Uint32Array.from({ length: 500 }, () => Math.floor(30 * next()))
    const times = Float64Array.from({ length: 500 }, () => Math.floor(1000 * next()))
    const triplets = { users: 20, items: 30, rows, columns, duplicates: 'max' as const }
    const { train, test } = splitByTime(triplets, times, 700)
    const pairs = (later: boolean) =>
      new Set(Array.from(rows, (row, e) => (times[e] >= 700 === later ? `${row} ${columns[e]} 1` : '')).filter(Boolean))
    expect(entries(train)).toEqual([...pairs(false)].sort())
    expect(entries(test)).toEqual([...pairs(true)].filter((pair) => !pairs(false).has(pair)).sort())
  })

  it('hold users out whole, with a part to fold in and a part to find', () => {
    const held = holdOutUsers(matrix, 50, { observed: 0.7 })
    expect([...held.users, ...held.trainUsers].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 200 }, (_, user) => user),
    )
    expectDivided(
      entries(matrix),
      entries(held.train, (row) => held.trainUsers[row]),
      entries(held.observed, (row) => held.users[row]),
      entries(held.test, (row) => held.users[row]),
    )
    expect(Math.min(...perUser(held.test))).toBeGreaterThanOrEqual(1)
    expect(Math.min(...perUser(held.observed))).toBeGreaterThanOrEqual(1)
    expect(held.test.entries / (held.test.entries + held.observed.entries)).toBeCloseTo(0.3, 1)
  })

  it('depend on the seed alone', () => {
    const splits = [1, 1, 2].map((seed) => [
      entries(leaveKOut(matrix, 2, { seed }).test),
      entries(splitRandomly(matrix, 0.3, { seed }).test),
      entries(holdOutUsers(matrix, 30, { seed }).test),
    ])
    expect(splits[0]).toEqual(splits[1])
    for (const way of [0, 1, 2]) expect(splits[0][way]).not.toEqual(splits[2][way])
  })

  it('name what is wrong', () => {
    expect(() => leaveKOut(matrix, 0)).toThrow('k is 0, expected a positive integer.')
    expect(() => splitRandomly(matrix, 1)).toThrow('ratio is 1, expected a number between 0 and 1.')
    expect(() => holdOutUsers(matrix, 200)).toThrow('count is 200, expected an integer from 1 to 199')
    const triplets = { users: 2, items: 2, rows: [0], columns: [1] }
    expect(() => splitByTime(triplets, [], 1)).toThrow('times has 0 entries, expected 1')
    expect(() => splitByTime(triplets, [Number.NaN], 1)).toThrow('times[0] is NaN')
  })
})

describe('item kNN', () => {
  it('adds up the cosines of the nearest neighbours of a user’s items', async () => {
    const { train, test } = leaveKOut(matrix, 3)
    const neighbours = 5
    const baseline = itemNeighbours(train, { neighbours })
    const lists = await baseline.recommend([0, 7, 199], { limit: 8 })
    const has = Array.from(
      { length: 90 },
      (_, item) => new Set(train.csc.indices.subarray(train.csc.indptr[item], train.csc.indptr[item + 1])),
    )
    const cosine = (a: number, b: number) =>
      [...has[a]].filter((user) => has[b].has(user)).length / Math.sqrt(has[a].size * has[b].size)
    const near = has.map((_, item) =>
      has
        .map((_, other) => other)
        .filter((other) => other !== item && cosine(item, other) > 0)
        .sort((a, b) => cosine(item, b) - cosine(item, a) || a - b)
        .slice(0, neighbours),
    )
    for (const [query, user] of [0, 7, 199].entries()) {
      const own = has.map((_, item) => item).filter((item) => has[item].has(user))
      const scores = has.map((_, item) =>
        own.reduce((sum, mine) => sum + (near[mine].includes(item) ? cosine(mine, item) : 0), 0),
      )
      const expected = scores
        .map((score, row) => ({ row, score }))
        .filter(({ row, score }) => score > 0 && !own.includes(row))
        .sort((a, b) => b.score - a.score || a.row - b.row)
        .slice(0, 8)
      expect([...lists.at(query).rows]).toEqual(expected.map(({ row }) => row))
      for (const [n, { score }] of expected.entries()) expect(lists.at(query).scores[n]).toBeCloseTo(score, 5)
    }
    const { at } = await evaluate(baseline, { train, test, k: [5] })
    expect(at[5].users).toBe(perUser(test).filter((count) => count > 0).length)
    expect(() => itemNeighbours(train, { neighbours: 0 })).toThrow('neighbours is 0')
  })
})
