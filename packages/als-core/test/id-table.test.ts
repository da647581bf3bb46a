import { expect, test } from 'vitest'
import { type StringIds, StringIdsBuilder } from '../src/matrix/string-ids.ts'
import { IdTable, slotsFor } from '../src/model/id-table.ts'
import { random } from './recommend-model.ts'

const strings = (rows: number, seed: number): string[] => {
  const next = random(seed)
  return Array.from(
    { length: rows },
    (_, row) => `${[...'é🎵x'].slice(0, Math.floor(4 * next())).join('')}${row}-${next()}`,
  )
}

function packed(ids: readonly string[], pieces: number): StringIds {
  const builder = new StringIdsBuilder()
  const size = Math.ceil(ids.length / pieces)
  for (let from = 0; from < ids.length; from += size) {
    const bytes = ids.slice(from, from + size).map((id) => Buffer.from(id))
    builder.add(
      Buffer.concat(bytes),
      Uint32Array.from(bytes, ({ length }) => length),
    )
  }
  return builder.finish()
}

// 65,536 is a slice between two looks at the event loop.
test.each([0, 1, 2, 3, 1000, 65_535, 65_536, 65_537])('%d ids are found as a map finds them', async (rows) => {
  const texts = strings(rows, rows)
  const next = random(rows)
  const numbers = [...new Set(Array.from({ length: rows }, () => Math.floor((next() - 0.5) * 2 ** 53)))]
  const kinds = {
    list: texts,
    bytes: packed(texts, 3),
    integers: Float64Array.from(numbers),
    small: numbers.map((_, n) => n - 3),
  }
  for (const [kind, ids] of Object.entries(kinds)) {
    const built = await IdTable.prepare(ids)
    const expected = new Map(Array.from({ length: ids.length }, (_, row) => [ids.at(row)!, row]))
    let wrong = 0
    for (const [id, row] of expected) if (built.rowOf(id) !== row) wrong++
    expect(wrong, kind).toBe(0)
    expect(built.slots.length).toBe(slotsFor(ids.length))
    for (const unknown of ['', '0', 'é', `${texts[0]} `, 2 ** 52 + 1, -(2 ** 40)]) {
      if (!expected.has(unknown)) expect(built.rowOf(unknown)).toBeUndefined()
    }
  }
})

test('the same slots for the same ids, however they are held', async () => {
  const texts = strings(5000, 7)
  const { slots } = await IdTable.prepare(texts)
  expect(Buffer.compare(Buffer.from(slots.buffer), Buffer.from(IdTable.of(packed(texts, 2)).slots.buffer))).toBe(0)
})

test('a table is made once for a column', async () => {
  const ids = ['a', 'b']
  expect(IdTable.of(ids)).toBe(IdTable.of(ids))
  expect(await IdTable.prepare(ids)).toBe(IdTable.of(ids))
})

test('a damaged table, without a free slot, finds nothing and ends', () => {
  const ids = ['a', 'b', 'c']
  IdTable.restore(ids, new Uint32Array(new SharedArrayBuffer(24)).fill(1))
  expect([IdTable.of(ids).rowOf('c'), IdTable.of(ids).rowOf('a')]).toEqual([undefined, 0])
})

test('ids in pieces, from the end, and past it', () => {
  const texts = strings(101, 3)
  for (const pieces of [1, 2, 101]) {
    const ids = packed(texts, pieces)
    expect([...ids]).toEqual(texts)
    expect([ids.at(-1), ids.at(101), ids.at(-102)]).toEqual([texts[100], undefined, undefined])
  }
})
