import { describe, expect, test } from 'vitest'
import {
  type Baseline,
  contentNeighbours,
  evaluate,
  evaluateItemGroups,
  featuresFromCsr,
  featuresFromDense,
  type InteractionMatrix,
  itemNeighbours,
  mostPopular,
  randomItems,
  splitColdItems,
} from '../src/index.ts'
import { makeInteractions, random } from './recommend-model.ts'

const matrix = makeInteractions(200, 90, 12, 8)

function pairs({ csr, codebook, users }: InteractionMatrix): string[] {
  const list: string[] = []
  for (let user = 0; user < users; user++) {
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      list.push(`${user} ${csr.indices[e]} ${codebook ? codebook[csr.values[e]] : csr.values[e]}`)
    }
  }
  return list.sort()
}

const counts = ({ csc, items }: InteractionMatrix) =>
  Array.from({ length: items }, (_, item) => csc.indptr[item + 1] - csc.indptr[item])

describe('splitColdItems', () => {
  const split = splitColdItems(matrix, 0.2, { rare: 0.1, rareInteractions: 3 })
  const [warm, rare, fresh] = split.groups

  test('loses no entry and none is on two sides', () => {
    expect([split.train, split.rare, split.test].flatMap(pairs).sort()).toEqual(pairs(matrix))
    expect([split.train, split.rare].flatMap(pairs).sort()).toEqual(pairs(split.known))
    expect(warm.items.length + rare.items.length + fresh.items.length).toBe(matrix.items)
  })

  test('holds out new items whole, and all but a few entries of rare ones', () => {
    const [train, few, known, all] = [split.train, split.rare, split.known, matrix].map(counts)
    const candidates = all.filter((count) => count >= 5).length
    expect(fresh.items.length).toBe(Math.floor(0.2 * candidates))
    expect(rare.items.length).toBe(Math.floor(0.1 * candidates))
    for (const item of Array.from(fresh.items)) {
      expect([known[item], all[item] >= 5]).toEqual([0, true])
    }
    for (const item of Array.from(rare.items)) {
      expect([train[item], few[item]]).toEqual([0, Math.min(3, Math.floor(all[item] / 2))])
    }
    const ofWarm = (of: number[]) => Array.from(warm.items).reduce((sum, item) => sum + of[item], 0)
    expect(1 - ofWarm(train) / ofWarm(all)).toBeCloseTo(0.1, 1)
  })

  test('follows from the seed', () => {
    const again = splitColdItems(matrix, 0.2, { rare: 0.1, rareInteractions: 3 })
    expect(pairs(again.train)).toEqual(pairs(split.train))
    expect(splitColdItems(matrix, 0.2, { seed: 43 }).groups[2].items).not.toEqual(
      splitColdItems(matrix, 0.2).groups[2].items,
    )
  })

  test('draws among some items only', () => {
    const among = [1, 3, 5, 7, 9, 11]
    const { groups } = splitColdItems(matrix, 0.5, { among, minimumInteractions: 1 })
    expect(groups[2].items).toHaveLength(3)
    for (const item of Array.from(groups[2].items)) expect(among).toContain(item)
  })

  test.each([
    [0, {}, /fraction is 0, expected a number between 0 and 1/],
    [0.6, { rare: 0.4 }, /0.6 and 0.4, expected less than 1 together/],
    [0.2, { warm: 1 }, /warm is 1/],
    [0.2, { minimumInteractions: 1e6 }, /0.2 of 0 items with 1000000 interactions, expected at least one/],
    [0.2, { rareInteractions: 0 }, /rareInteractions is 0/],
  ])('refuses %o %o', (fraction, options, message) => {
    expect(() => splitColdItems(matrix, fraction, options)).toThrow(message)
  })
})

describe('contentNeighbours', () => {
  test.each(['sparse', 'with negative values'])('ranks by the inner products of features, %s', async (kind) => {
    const next = random(5)
    const names = Array.from({ length: 20 }, (_, f) => `f${f}`)
    const data = Float32Array.from({ length: matrix.items * 20 }, () =>
      next() < 0.3 ? Math.fround(next() - (kind === 'sparse' ? 0 : 0.5)) : 0,
    )
    const features = featuresFromDense({ names, data })
    const batch = await contentNeighbours(matrix, features).recommend([0, 7, 8], { limit: 10 })
    for (const [q, user] of [0, 7, 8].entries()) {
      const own = [...matrix.csr.indices.subarray(matrix.csr.indptr[user], matrix.csr.indptr[user + 1])]
      const score = (item: number) => {
        let sum = 0
        for (const other of own) for (let f = 0; f < 20; f++) sum += data[other * 20 + f] * data[item * 20 + f]
        return sum
      }
      const expected = Array.from({ length: matrix.items }, (_, item) => item)
        .filter((item) => !own.includes(item) && score(item) > 1e-9)
        .sort((a, b) => score(b) - score(a))
        .slice(0, 10)
      expect([...batch.at(q).rows]).toEqual(expected)
      for (const [n, item] of expected.entries()) expect(batch.at(q).scores[n]).toBeCloseTo(score(item), 4)
    }
  })

  test('needs a row for each item', () => {
    const one = featuresFromCsr({ rows: 1, names: ['a'], indptr: [0, 1], indices: [0], values: [1] })
    expect(() => contentNeighbours(matrix, one)).toThrow(/features has 1 rows, expected 90, the number of items/)
  })
})

test('randomItems lists every item alike, each user the same list whoever is asked with', async () => {
  const source = randomItems(matrix)
  const all = await source.recommend(
    Uint32Array.from({ length: 200 }, (_, user) => user),
    { limit: 10, exclude: false },
  )
  const seen = new Uint32Array(matrix.items)
  for (const list of all) {
    expect(new Set(list.rows).size).toBe(10)
    for (const item of list.rows) seen[item]++
  }
  // 2,000 draws of 90 items: 22 each, with a standard deviation of 4.7.
  expect(Math.min(...seen)).toBeGreaterThan(4)
  expect(Math.max(...seen)).toBeLessThan(45)
  const alone = await source.recommend([7], { limit: 10, exclude: false })
  expect([...alone.at(0).rows]).toEqual([...all.at(7).rows])
  const own = new Set(matrix.csr.indices.subarray(matrix.csr.indptr[7], matrix.csr.indptr[8]))
  const rest = await source.recommend([7], { limit: 90 })
  expect([...rest.at(0).rows].some((item) => own.has(item))).toBe(false)
  expect(rest.at(0).length).toBe(90 - own.size)
})

describe('evaluate', () => {
  const split = splitColdItems(matrix, 0.3, { rare: 0.2 })
  const [, rare, fresh] = split.groups
  const sources: [string, Baseline][] = [
    ['mostPopular', mostPopular(split.known)],
    ['itemNeighbours', itemNeighbours(split.known)],
    ['randomItems', randomItems(split.known)],
  ]

  test.each(sources)('%s ranks some items only', async (_, source) => {
    const allow = Array.from(rare.items)
    const batch = await source.recommend([0, 1, 2], { limit: 50, allow })
    for (const list of batch) for (const item of list.rows) expect(allow).toContain(item)
    const limits = await source.recommend([0, 1, 2], { limit: 90 })
    for (const [q, list] of [...batch].entries()) {
      const among = [...limits.at(q).rows].filter((item) => allow.includes(item))
      if (_ !== 'randomItems') expect([...list.rows]).toEqual(among)
    }
  })

  test('measures groups among themselves and among all', async () => {
    // A source that names items in the order of their rows, so that every figure can be counted.
    const inOrder = {
      async recommend(
        users: Uint32Array,
        { limit, exclude, allow }: { limit: number; exclude: InteractionMatrix; allow?: ArrayLike<number> },
      ) {
        const rows = new Uint32Array(users.length * limit)
        const counted = new Uint32Array(users.length)
        for (const [q, user] of users.entries()) {
          const own = new Set(exclude.csr.indices.subarray(exclude.csr.indptr[user], exclude.csr.indptr[user + 1]))
          const listed = Array.from(allow ?? { length: matrix.items }, (item, row) => (allow ? item : row) as number)
          const list = listed.filter((item) => !own.has(item)).slice(0, limit)
          rows.set(list, q * limit)
          counted[q] = list.length
        }
        return { limit, counts: counted, rows, scores: new Float32Array(rows.length) }
      },
    }
    const { known: train, test, groups } = split
    const figures = await evaluateItemGroups(inOrder, { train, test, groups, k: 10 })
    expect(figures.map(({ name }) => name)).toEqual(['warm', 'rare', 'new', 'all'])
    const isFresh = new Set(Array.from(fresh.items))
    let [alone, whole, users] = [0, 0, 0]
    for (let user = 0; user < matrix.users; user++) {
      const of = ({ csr }: InteractionMatrix) => [...csr.indices.subarray(csr.indptr[user], csr.indptr[user + 1])]
      const wanted = of(test).filter((item) => isFresh.has(item))
      if (wanted.length === 0) continue
      users++
      const rest = Array.from({ length: matrix.items }, (_, item) => item).filter((item) => !of(train).includes(item))
      const found = (list: number[]) => list.slice(0, 10).filter((item) => wanted.includes(item)).length / wanted.length
      alone += found(rest.filter((item) => isFresh.has(item)))
      whole += found(rest)
    }
    const line = figures[2]
    expect(line.items).toBe(fresh.items.length)
    expect(line.amongThemselves.users).toBe(users)
    expect(line.amongThemselves.recall).toBeCloseTo(alone / users, 12)
    expect(line.amongAll.recall).toBeCloseTo(whole / users, 12)
    expect(figures[3].amongAll.coverage).toBeGreaterThan(0)
  })

  test('refuses a list with an item that was not asked for, and rows that are none', async () => {
    const { known: train, test, groups } = split
    const deaf = { recommend: (users: Uint32Array) => mostPopular(train).recommend(users, { exclude: train }) }
    await expect(evaluate(deaf, { train, test, items: groups[2].items })).rejects.toThrow(
      /not among the items asked for/,
    )
    await expect(evaluate(mostPopular(train), { train, test, items: [90] })).rejects.toThrow(
      /Item 90 of all is no row, expected one from 0 to 89/,
    )
  })
})
