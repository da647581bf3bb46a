/** Sums over features in WebAssembly are those of the equation, whatever the number of entries and of factors, and in any slab. */
import { describe, expect, it } from 'vitest'
import { GATHERED_ENTRIES, makeFeatureSlabs } from '../src/solve/feature-memory.ts'
import { type FeatureRows, gatheredRows, viewFeatures } from '../src/solve/feature-view.ts'
import { padFactors } from '../src/solve/layout.ts'
import { random } from './recommend-model.ts'

// Around a chunk of 32 entries, a block of 96 rows and a piece of a long row.
const lengths = [
  ...[0, 1, 3, 4, 5, 8, 0, 31, 32, 33, 64, 65],
  ...Array.from({ length: 200 }, (_, row) => row % 4),
  ...[GATHERED_ENTRIES - 1, 1, GATHERED_ENTRIES, GATHERED_ENTRIES + 1, 2 * GATHERED_ENTRIES + 3, 0, 7],
]
const features = 500
const next = random(7)
const matrix = makeRows(lengths)

describe.each(['simd', 'relaxed'] as const)('%s', (kernel) => {
  describe.each([1, 4, 30, 128, 200])('%i factors', (k) => {
    const padded = padFactors(k)
    const vectors = Float32Array.from({ length: features * padded }, (_, at) => (at % padded < k ? next() - 0.5 : 0))
    const exact = sumExactly(vectors, padded)

    it.each([1, 3])('in %i slabs', (wanted) => {
      const size = { features, rows: lengths.length, padded }
      const limit = wanted === 1 ? 2 ** 32 : slabLimit(size, wanted)
      const slabs = makeFeatureSlabs(size, 2, limit, kernel)
      expect(slabs.length).toBe(Math.ceil(padded / 8 / Math.ceil(padded / 8 / wanted)))
      expect(slabs.reduce((sum, { width }) => sum + width, 0)).toBe(padded)
      const sums = new Float32Array(lengths.length * padded)
      for (const slab of slabs) {
        const view = viewFeatures(slab, 1)
        const rows = new Float32Array(features * slab.width)
        for (let f = 0; f < features; f++) {
          const at = f * padded + slab.first
          rows.set(vectors.subarray(at, at + slab.width), f * slab.width)
        }
        view.f32.set(rows, slab.gradient / 4)
        for (let first = 0; first < lengths.length; ) {
          const count = gatheredRows(matrix.indptr, first, lengths.length)
          view.gather(matrix, first, count, slab.gradient, view.at('block'))
          view.take(sums, padded, first, count, view.at('block'))
          first += count
        }
      }
      let worst = 0
      for (let at = 0; at < sums.length; at++) {
        const size = Math.sqrt(lengths[Math.floor(at / padded)])
        worst = Math.max(worst, Math.abs(sums[at] - exact[at]) / Math.max(1, size))
      }
      expect(worst).toBeLessThan(3e-6)
    })
  })
})

/** A limit below which as many slabs are needed. */
function slabLimit(size: { features: number; rows: number; padded: number }, wanted: number): number {
  const [widest] = makeFeatureSlabs({ ...size, padded: 8 * Math.ceil(size.padded / 8 / wanted) }, 2, 2 ** 32)
  return widest.memory.buffer.byteLength + 65_536
}

function makeRows(lengths: number[]): FeatureRows {
  const indptr = new Float64Array(new SharedArrayBuffer(8 * (lengths.length + 1)))
  lengths.forEach((length, row) => {
    indptr[row + 1] = indptr[row] + length
  })
  const entries = indptr[lengths.length]
  const indices = new Uint32Array(new SharedArrayBuffer(4 * entries))
  const values = new Float32Array(new SharedArrayBuffer(4 * entries))
  for (let e = 0; e < entries; e++) {
    indices[e] = Math.floor(next() * features)
    values[e] = next() - 0.5
  }
  return { indptr, indices, values }
}

function sumExactly(vectors: Float32Array, padded: number): Float64Array {
  const sums = new Float64Array(lengths.length * padded)
  for (let row = 0; row < lengths.length; row++) {
    for (let e = matrix.indptr[row]; e < matrix.indptr[row + 1]; e++) {
      for (let j = 0; j < padded; j++) {
        sums[row * padded + j] += matrix.values[e] * vectors[matrix.indices[e] * padded + j]
      }
    }
  }
  return sums
}
