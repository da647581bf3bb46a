import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { ReleaseStore } from '../pipeline/release-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'release-store-'))
vi.stubEnv('TMPDIR', folder)
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('payloads come back by row, in whatever order they went in, and nothing stays on disk', () => {
  const store = new ReleaseStore([10, 20, 30], [7, 8, 9])
  store.add({ row: 2, id: 30, values: { title: 'Últimas noches', year: 1999, genres: ['Rock'], artists: ['Ü'] } })
  store.add({
    row: 0,
    id: 10,
    values: { title: 'Filler '.repeat(300_000), labels: [1, 2], styles: null, genres: 'Rock' },
  })
  expect(store.known).toBe(2)
  expect(store.payload(2)).toEqual({
    item_id: 30,
    title: 'Últimas noches',
    year: 1999,
    country: null,
    artists: ['Ü'],
    labels: [],
    genres: ['Rock'],
    styles: [],
    interaction_count: 9,
  })
  expect(store.payload(0).title).toHaveLength(2_100_000)
  expect(store.payload(0)).toMatchObject({ labels: [1, 2], styles: [], genres: ['Rock'] })
  // Without metadata: id and count.
  expect(store.payload(1)).toMatchObject({ item_id: 20, title: null, interaction_count: 8 })
  // Still open for more after reading.
  store.add({ row: 1, id: 20, values: { title: 'Late' } })
  expect(store.payload(1).title).toBe('Late')
  expect(readdirSync(folder)).toHaveLength(1)
  store.close()
  expect(existsSync(folder) && readdirSync(folder).length).toBe(0)
})
