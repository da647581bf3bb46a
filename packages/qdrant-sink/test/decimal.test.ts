import { expect, test } from 'vitest'
import { writeDecimal } from '../src/points/decimal.ts'

test('decimals become the same float32 again, for every exponent', () => {
  const float = new Float32Array(1)
  const bits = new Uint32Array(float.buffer)
  let state = 12345
  for (let exponent = 0; exponent < 255; exponent++) {
    for (let i = 0; i < 400; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      // The first and the last mantissa of each exponent, and others between; both signs.
      const mantissa = i === 0 ? 0 : i === 1 ? 0x7fffff : state & 0x7fffff
      bits[0] = ((state & 0x80000000) | (exponent << 23) | mantissa) >>> 0
      const text = decimal(float[0])
      if (Math.fround(JSON.parse(text)) !== float[0]) throw new Error(`${float[0]} was written as ${text}`)
      if (text.length > 25) throw new Error(`${text} is too long`)
    }
  }
})

test('they are short', () => {
  expect([0, -0.5, 0.1, 1 / 3, 123.456, 4e-7, 1e-10, 2 ** 30].map(Math.fround).map(decimal)).toEqual([
    '0',
    '-0.50000000',
    '0.100000001',
    '0.33333334',
    '123.456001',
    '40000000e-14',
    '100000001e-18',
    '1073741824',
  ])
})

function decimal(value: number): string {
  const bytes = Buffer.alloc(32)
  return bytes.toString('latin1', 0, writeDecimal(bytes, 0, value))
}
