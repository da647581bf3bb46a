import { expect, test } from 'vitest'
import { askRecordShop, type ReleasePayload } from '../catalogue/questions.ts'
import { askAboutBestKnown, passes } from '../pipeline/questions.ts'

function release(item_id: number, more: Partial<ReleasePayload> = {}): ReleasePayload {
  const lists = { artists: [], labels: [], genres: ['Rock'], styles: ['Punk'] }
  return { item_id, title: `No. ${item_id}`, year: 1980, country: 'UK', interaction_count: item_id, ...lists, ...more }
}

test('a filter holds when all of it does, ends included', () => {
  const punk = release(50)
  expect(passes(punk, {})).toBe(true)
  const between = { year: [1980, 1980], interaction_count: [50, 50] } as const
  expect(passes(punk, { has: { genres: 'Rock', country: 'UK' }, between })).toBe(true)
  expect(passes(punk, { has: { genres: 'Jazz' } })).toBe(false)
  expect(passes(punk, { between: { year: [1981, 1990] } })).toBe(false)
  expect(passes(punk, { between: { interaction_count: [0, 49] } })).toBe(false)
  expect(passes(release(1, { year: null }), { between: { year: [0, 3000] } })).toBe(false)
})

test('questions start from the best-known release of a style and its years', () => {
  const releases = [
    ...Array.from({ length: 100 }, (_, id) => release(id)),
    release(200, { styles: ['Deep House'], year: 2005 }),
    release(150, { styles: ['Deep House'], year: 1995 }),
    release(140, { styles: ['Deep House'], year: 1994 }),
  ]
  const [similar, blend, filtered, negative, gems, favourites] = askRecordShop(releases)
  expect(similar.positive.map(({ item_id }) => item_id)).toEqual([150])
  expect(blend.positive).toHaveLength(3)
  expect(filtered.filter).toEqual({ has: { genres: 'Electronic' }, between: { year: [1990, 1999] } })
  expect(negative.negative).toHaveLength(1)
  const [gem, favourite] = [gems, favourites].map(({ filter }) => filter.between!.interaction_count)
  expect(gem[1]).toBeLessThan(favourite[0])
})

test('no release is asked about twice, however few there are', () => {
  for (const count of [1, 2, 3, 5, 8, 100]) {
    const questions = askRecordShop(Array.from({ length: count }, (_, id) => release(id)))
    // Gems and favourites are near to one and the same.
    const asked = questions.slice(0, -1).flatMap(({ positive, negative }) => [...positive, ...negative])
    expect(new Set(asked).size).toBe(asked.length)
    expect(questions.every(({ positive }) => positive.length > 0)).toBe(true)
  }
})

test('about any catalogue: the three best-known, and a blend of them', () => {
  const counts = [5, 9, 1, 7, 3]
  const questions = askAboutBestKnown({ counts, payload: (row) => release(counts[row]) })
  expect(questions.map(({ positive }) => positive.map(({ item_id }) => item_id))).toEqual([[9], [7], [5], [9, 7, 5]])
  const one = askAboutBestKnown({ counts: [4], payload: () => release(4) })
  expect(one.map(({ positive }) => positive.length)).toEqual([1])
})
