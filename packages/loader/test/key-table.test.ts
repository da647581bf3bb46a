import { describe, expect, test } from 'vitest'
import { fingerprint } from '../src/ids/fingerprint.ts'
import { KeyTable, lookUp } from '../src/ids/key-table.ts'
import { createKeys, type IdKind } from '../src/ids/keys.ts'

/** Keys of rows, as a worker reads them from a column: here from numbers or strings. */
function keysOf(ids: readonly (number | string)[], kind: IdKind) {
  const keys = createKeys(kind, new Uint32Array(ids.length), new Uint32Array(ids.length))
  const bytes = Buffer.from(ids.join(''))
  keys.bytes = bytes
  let at = 0
  for (const [row, id] of ids.entries()) {
    if (typeof id === 'number') {
      keys.lo[row] = id >>> 0
      keys.hi[row] = Math.floor(id / 2 ** 32)
      continue
    }
    keys.start[row] = at
    keys.end[row] = at += Buffer.byteLength(id)
    fingerprint(bytes, keys.start[row], keys.end[row], 42, keys, row)
  }
  return keys
}

const idOf: Record<IdKind, (n: number) => number | string> = {
  integer: (n: number) => n * 104_729 * 1003,
  string: (n: number) => `id-${'ü'.repeat(n % 7)}${n}`,
}

// A table of 4,096 slots grows at 2,458 keys, and doubles from there; text of 64 KiB grows at some 3,000 strings.
describe.each(['integer', 'string'] as const)('a table of %s keys', (kind) => {
  test.each([1, 2457, 2458, 2459, 4915, 4916, 4917, 9831, 9832, 9833, 30_000])('counts each of %i keys', (distinct) => {
    const table = new KeyTable(kind === 'string')
    const expected = new Map<number, number>()
    let row = 0
    for (let n = 0; n < distinct; n += 4096 / 2) {
      // Every key twice, the second time 1,024 rows later, so that some meet a table that has grown in between.
      const some = Array.from({ length: Math.min(2048, distinct - n) }, (_, i) => n + i)
      const order = [...some, ...some.map((_, i) => some[(i + 1024) % some.length])]
      const keys = keysOf(order.map(idOf[kind]), kind)
      table.count(keys, Uint16Array.from(order.keys()), order.length)
      for (const each of order) expected.set(each, (expected.get(each) ?? 0) + 1)
      row += order.length
    }
    expect(table.used).toBe(distinct)
    expect(table.values.reduce((sum, value) => sum + value, 0)).toBe(row)
    const every = [...expected.keys()]
    for (let from = 0; from < distinct; from += 4096) {
      const part = every.slice(from, from + 4096)
      const found = new Int32Array(part.length)
      lookUp(table.arrays(), keysOf(part.map(idOf[kind]), kind), Uint16Array.from(part.keys()), part.length, found)
      expect([...found]).toEqual(part.map((each) => expected.get(each)! - 1))
    }
  })

  test('adds and stores values while it grows', () => {
    const table = new KeyTable(kind === 'string')
    const ids = Array.from({ length: 4000 }, (_, n) => n)
    const keys = keysOf(ids.map(idOf[kind]), kind)
    for (const row of ids) table.set(keys, row, row + 1)
    for (const row of ids) table.add(keys, row, 5)
    const found = new Int32Array(ids.length)
    lookUp(table.arrays(), keys, Uint16Array.from(ids), ids.length, found)
    expect([...found]).toEqual(ids.map((row) => row + 5))
  })
})
