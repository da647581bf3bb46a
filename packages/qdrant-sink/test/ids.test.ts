import { describe, expect, test as plain } from 'vitest'
import { blend, forUser, hasId, Index, itemPoint, POINT_NAMESPACE, similar, type Vectors } from '../src/index.ts'
import { checkIds } from '../src/points/check-ids.ts'
import type { Id, Ids } from '../src/points/point-id.ts'
import { pointSource } from '../src/points/source.ts'
import { tagged } from './catalogue.ts'
import { test } from './publication.ts'

describe('itemPoint', () => {
  plain('integers stay, UUIDs get one spelling, strings become UUIDs version 5', () => {
    expect([0, 7, Number.MAX_SAFE_INTEGER, 2n ** 64n - 1n].map(itemPoint)).toEqual([
      0,
      7,
      Number.MAX_SAFE_INTEGER,
      2n ** 64n - 1n,
    ])
    const uuid = '550e8400-e29b-41d4-a716-446655440000'
    for (const spelling of [uuid, uuid.toUpperCase(), uuid.replaceAll('-', '')]) expect(itemPoint(spelling)).toBe(uuid)
    // What Python gives: uuid.uuid5(uuid.UUID(POINT_NAMESPACE), id).
    expect(POINT_NAMESPACE).toBe('6f3b1c52-8a0e-4d57-9b61-2f6c0d9e47a3')
    expect(itemPoint('release-199999')).toBe('16796953-f1e7-5907-9eac-6515fb3413b9')
    expect(itemPoint('Motörhead ☃')).toBe('51348dcf-1eab-5217-bda8-de2306e5a5c7')
    // No UUIDs: 31 digits, a dash elsewhere, braces.
    for (const text of [uuid.slice(1), `5${uuid.slice(0, 8)}-${uuid.slice(9)}`, `{${uuid}}`, '7', ''])
      expect(itemPoint(text)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  plain.each<[unknown, RegExp]>([
    [-1, /The id -1 is negative, expected an integer from 0/],
    [1.5, /The id 1.5 is not an integer/],
    [Number.NaN, /NaN is not an integer/],
    [2 ** 53, /above 2\^53 - 1, where numbers are rounded. Pass it as a bigint/],
    [-1n, /-1n is negative/],
    [2n ** 64n, /above 2\^64 - 1/],
    ['\ud800', /lone surrogate/],
    [undefined, /undefined is no id/],
  ])('refuses %s', (id, message) => {
    expect(() => itemPoint(id as Id)).toThrow(message)
  })
})

describe('ids are checked before the first request, by row', () => {
  const uuid = (n: number): string => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`
  plain.each<[string, Ids]>([
    ['ascending integers', Uint32Array.of(1, 2, 3)],
    ['integers in any order', [3, 1, 2n]],
    ['bigints', BigUint64Array.of(2n ** 63n, 1n, 2n ** 64n - 1n)],
    ['strings', ['b', 'a', 'c']],
    ['a string and the number it looks like', ['7', 7, '07']],
    ['UUIDs that differ in their last digits', [uuid(2), uuid(1), uuid(3)]],
    ['a column that is no array', { length: 2, at: (row) => ['x', 'y'][row] }],
    ['code points out of the order of code units', ['\uffff', '\u{10000}']],
  ])('%s', (_, ids) => {
    expect(() => checkIds('vectors.ids', ids)).not.toThrow()
  })

  plain.each<[string, Id[], RegExp]>([
    [
      'a negative number',
      [1, -2],
      /vectors.ids: the id -2 in row 1 is negative, expected an integer from 0 to 2\^64 - 1/,
    ],
    ['a fraction', [1, 2, 2.5], /2.5 in row 2 is not an integer/],
    ['the same number twice', [7, 8, 7], /vectors.ids: 7 is in row 0 and in row 2, expected unique ids/],
    ['a number and its bigint', [7, 8, 7n], /7n is in row 0 and in row 2/],
    ['the same string twice', ['b', 'a', 'b'], /"b" is in row 0 and in row 2/],
    [
      'a UUID in two spellings',
      [uuid(1), uuid(2).replaceAll('-', ''), uuid(2)],
      /are the same point, in row 1 and in row 2/,
    ],
    [
      'a string and the UUID that it becomes',
      ['x', itemPoint('x') as string],
      /are the same point, in row 0 and in row 1/,
    ],
    ['a UUID that is that of a number of the same 64 bits, twice', [uuid(5), 0, uuid(5)], /in row 0 and in row 2/],
    ['none', [1, undefined as never], /undefined in row 1 is no id/],
  ])('%s', (_, ids, message) => {
    expect(() => checkIds('vectors.ids', ids)).toThrow(message)
  })

  plain('random ids with and without a duplicate, against a set of points', () => {
    let state = 7
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * limit)
    }
    let duplicates = 0
    for (let round = 0; round < 300; round++) {
      const makers = [
        random,
        (n: number) => BigInt(random(n)),
        (n: number) => `item ${random(n)}`,
        (n: number) => uuid(random(n)),
      ]
      const make = makers.slice(0, 1 + random(4))
      const ids = Array.from({ length: 1 + random(40) }, () => make[random(make.length)](400))
      const unique = new Set(ids.map((id) => String(itemPoint(id)))).size === ids.length
      if (!unique) duplicates++
      const check = expect(() => checkIds('ids', ids), `round ${round}`)
      if (unique) check.not.toThrow()
      else check.toThrow(/expected unique ids/)
    }
    expect(duplicates).toBeGreaterThan(50)
    expect(duplicates).toBeLessThan(250)
  })
})

plain('the hash by which a run is resumed tells ids apart that look alike in a list', () => {
  const data = Float32Array.of(1, 2)
  const hash = (ids: Ids): string => pointSource('vectors', { ids, data, dimension: 1 }, 'float32').fingerprint('')
  expect(new Set([hash(['a', 'b,c']), hash(['a,b', 'c']), hash(['7', '8']), hash([7, 8])]).size).toBe(4)
  expect(hash([7n, 8n])).toBe(hash([7, 8]))
})

test('string ids are published, asked for and answered as they are, and are the same points the next night', async ({
  server,
  alias,
  run,
}) => {
  const { data, dimension } = tagged(60, 1).vectors
  const ids = Array.from({ length: 60 }, (_, row) => `release/${row}`)
  const vectors: Vectors = { ids, data, dimension, distance: 'Dot' }
  const users = { vectors: { ...vectors, ids: ids.map((id) => `user of ${id}`) } }
  await run({ vectors, users, payloads: (row) => ({ row }) })
  await using index = new Index<{ item_id: string; row: number }>({ url: server.url, alias })
  expect(await index.get('release/3')).toEqual({ item_id: 'release/3', row: 3 })
  const found = await index.query(similar('release/3', { limit: 60 }))
  expect(found.map(({ payload }) => payload.item_id).sort()).toEqual(ids.filter((id) => id !== 'release/3').sort())
  for (const { id, payload } of found) expect(id).toBe(itemPoint(payload.item_id))
  const request = forUser('user of release/3', {
    users: `${alias}_users`,
    exclude: ['release/3', 'release/4'],
    limit: 60,
  })
  expect(await index.query(request)).toHaveLength(58)
  const blended = await index.query(
    blend({ positive: ['release/1', 'release/2'], filter: { must: hasId(['release/1', 'release/9']) } }),
  )
  expect(blended.map(({ payload }) => payload.item_id)).toEqual(['release/9'])

  await run({ vectors: { ...vectors, ids: ids.toReversed() }, users, payloads: (row) => ({ row }) })
  expect(await index.get('release/3')).toEqual({ item_id: 'release/3', row: 56 })
})

test('ids of 64 bits come back as they went', async ({ server, alias, run }) => {
  const { data, dimension } = tagged(4, 1).vectors
  const ids = BigUint64Array.of(1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n)
  await run({ vectors: { ids, data, dimension }, payloads: (row) => ({ row }) })
  await using index = new Index<{ row: number }>({ url: server.url, alias })
  const found = await index.query(similar(2n ** 64n - 1n))
  expect(new Set(found.map(({ id }) => BigInt(id)))).toEqual(new Set([1n, 2n ** 53n + 1n, 2n ** 63n]))
  expect(await index.get(2n ** 53n + 1n)).toEqual({ row: 1 })
})
