import { expect, test } from 'vitest'
import { nineDigits, vectorOf } from '../src/publish/input.ts'

test('nine digits become the same float32 again, for every exponent', () => {
  const bits = new Uint32Array(1)
  const float = new Float32Array(bits.buffer)
  let state = 12345
  for (let exponent = 0; exponent < 255; exponent++) {
    for (let i = 0; i < 400; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      // The first and the last mantissa of each exponent, and others between; both signs.
      const mantissa = i === 0 ? 0 : i === 1 ? 0x7fffff : state & 0x7fffff
      bits[0] = ((state & 0x80000000) | (exponent << 23) | mantissa) >>> 0
      const value = float[0]
      const back = Math.fround(JSON.parse(JSON.stringify(nineDigits(value))))
      if (back !== value && !(back === 0 && value === 0)) throw new Error(`${value} came back as ${back}`)
    }
  }
})

test('bodies are short', () => {
  const data = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i + 1) / 3)
  const text = JSON.stringify(vectorOf({ ids: [1], data, dimension: 1000 }, 0, undefined))
  expect(text.length / 1000).toBeLessThan(14)
  expect(
    JSON.stringify(vectorOf({ ids: [1], data: Float32Array.of(0.25, -2.5, 0), dimension: 3 }, 0, ['a', 'b'])),
  ).toBe('{"a":[0.25,-2.5,0],"b":[0.25,-2.5,0]}')
})
