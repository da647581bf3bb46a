import { describe, expect, test as plain } from 'vitest'
import { Index, type Payload } from '../src/index.ts'
import { parsePayload, payloadText, samePayload } from '../src/points/payload.ts'
import { tagged } from './catalogue.ts'
import { test } from './publication.ts'

describe('integers from 2^53 on', () => {
  const numbers = [2 ** 53 - 1, 2 ** 53 + 2, 1e18, 1e20, Number(12345678901234567890n), -(2 ** 53) - 2, 1e300]
  const bigints = [2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n)]

  test('numbers and bigints are verified, and bigints come back to the digit', async ({ server, alias, run }) => {
    const values = [...numbers, ...bigints]
    const { data, dimension } = tagged(values.length, 1).vectors
    const ids = values.map((_, row) => row)
    await run({ vectors: { ids, data, dimension }, payloads: (row) => ({ value: values[row], list: [values[row]] }) })
    await using index = new Index<{ value: number | bigint }>({ url: server.url, alias })
    for (const [i, value] of bigints.entries()) expect((await index.get(numbers.length + i))?.value).toBe(value)
    for (const [i, value] of numbers.entries()) expect(Number((await index.get(i))?.value)).toBe(value)
  })

  plain('one that is off by one is told from the one that was sent', () => {
    for (const value of bigints) {
      const sent = parsePayload(payloadText('vectors', 0, 1, { value }))
      expect(samePayload(sent, { value })).toBe(true)
      expect(samePayload(sent, { value: value - 1n })).toBe(false)
    }
    expect(samePayload({ value: 1e20 }, { value: 10n ** 20n })).toBe(true)
    expect(samePayload({ value: 10n ** 20n }, { value: 1e20 })).toBe(true)
    expect(samePayload({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true)
    for (const other of [{}, { a: 1, b: 1 }, { a: '1' }, { a: [1] }, { a: null }, { a: true }])
      expect(samePayload({ a: 1 }, other)).toBe(false)
  })
})

describe('a payload that is no object of fields is refused with its row, and nothing is left', () => {
  const cyclic: Payload = {}
  cyclic.self = cyclic
  test.for<[string, unknown, RegExp]>([
    ['a function', () => {}, /has no JSON form \(JSON.stringify gives undefined of this function\)/],
    ['a symbol', Symbol('x'), /has no JSON form/],
    ['an object that writes nothing', { toJSON: () => undefined }, /has no JSON form/],
    ['a list', [1, 2], /is \[1,2\], expected an object of fields/],
    ['a string', 'text', /is "text", expected an object/],
    ['a circle', cyclic, /cannot be written as JSON: .*circular.*Leave that field out/s],
    [
      'a bigint of 65 bits',
      { a: 1n << 64n },
      /cannot be written as JSON: 18446744073709551616 is not an integer of 64 bits/,
    ],
  ])('%s', async ([, payload, message], { server, run }) => {
    const payloads = (row: number): Payload => (row === 70 ? (payload as Payload) : { row })
    const outcome = run({ payloads })
    await expect(outcome).rejects.toThrow(TypeError)
    await expect(outcome).rejects.toThrow(/The payload of vectors in row 70 \(id 71\)/)
    await expect(outcome).rejects.toThrow(message)
    expect((await server.client.getCollections()).collections.filter(({ name }) => name.startsWith('test-'))).toEqual(
      [],
    )
  })
})

plain('null and undefined are no payload', () => {
  expect(payloadText('vectors', 0, 1, undefined)).toBeUndefined()
  expect(payloadText('vectors', 0, 1, null)).toBeUndefined()
  expect(parsePayload(undefined)).toEqual({})
})
