import { expect, test } from 'vitest'
import type { ReleasePayload } from '../pipeline/payload.ts'
import { ask, askAboutBestKnown, passes } from '../pipeline/questions.ts'

function release(item_id: number, more: Partial<ReleasePayload> = {}): ReleasePayload {
  const lists = { artists: [], labels: [], genres: ['Rock'], styles: ['Punk'] }
  return { item_id, title: `No. ${item_id}`, year: 1980, country: 'UK', interaction_count: item_id, ...lists, ...more }
}

test('a filter holds when all of it does, ends included', () => {
  const punk = release(50)
  expect(passes(punk, {})).toBe(true)
  expect(passes(punk, { genre: 'Rock', years: [1980, 1980], interactions: [50, 50] })).toBe(true)
  expect(passes(punk, { genre: 'Jazz' })).toBe(false)
  expect(passes(punk, { years: [1981, 1990] })).toBe(false)
  expect(passes(punk, { interactions: [0, 49] })).toBe(false)
  expect(passes(release(1, { year: null }), { years: [0, 3000] })).toBe(false)
})

test('questions start from the best-known release of a style and its years', () => {
  const releases = [
    ...Array.from({ length: 100 }, (_, id) => release(id)),
    release(200, { styles: ['Deep House'], year: 2005 }),
    release(150, { styles: ['Deep House'], year: 1995 }),
    release(140, { styles: ['Deep House'], year: 1994 }),
  ]
  const [similar, blend, filtered, negative, gems, favourites] = ask(releases)
  expect(similar.positive.map(({ item_id }) => item_id)).toEqual([150])
  expect(blend.positive).toHaveLength(3)
  expect(filtered.filter).toEqual({ genre: 'Electronic', years: [1990, 1999] })
  expect(negative.negative).toHaveLength(1)
  expect(gems.filter.interactions![1]).toBeLessThan(favourites.filter.interactions![0])
})

test('about any catalogue: the three best-known, and a blend of them', () => {
  const releases = [5, 9, 1, 7, 3].map((id) => release(id))
  const questions = askAboutBestKnown({ length: 5, payload: (row) => releases[row] })
  expect(questions.map(({ positive }) => positive.map(({ item_id }) => item_id))).toEqual([[9], [7], [5], [9, 7, 5]])
})
