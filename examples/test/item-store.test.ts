import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ItemStore } from '../pipeline/item-store.ts'
import recordShop from '../seesaw.config.ts'

const folder = mkdtempSync(join(tmpdir(), 'item-store-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('payloads come back by row, in whatever order they went in, and the file has no name', () => {
  const payload = recordShop.items!.payload!
  const store = new ItemStore({ ids: [10, 20, 30], counts: [7, 8, 9], payload, directory: folder })
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
  // A process that is killed leaves nothing.
  expect(readdirSync(folder)).toEqual([])
  store.close()
})
