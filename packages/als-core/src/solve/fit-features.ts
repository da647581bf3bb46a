import { identity } from '../linear-algebra/dense.ts'
import { runShards } from '../pool/run-shards.ts'
import { sharedFloat64 } from '../pool/shared-arrays.ts'
import type { FeatureMap } from './feature-map.ts'
import type { FeatureSlab } from './feature-memory.ts'
import type {
  directionShards,
  residualShards,
  rowProductShards,
  rowResidualShards,
  startShards,
  stepShards,
} from './feature-shards.ts'
import { loadMatrix } from './load-matrix.ts'
import type { Shards } from './plan-shards.ts'
import { runInPlace } from './rows-in-place.ts'
import type { Factors, Side } from './sides.ts'
import type { Workbench } from './workbench.ts'

/**
 * Fits the feature map to the factors of its side by conjugate gradients on the normal equations
 * (GᵀΛG + λ_B·I) B = GᵀΛY, for all k columns at once, preconditioned by the diagonal M, from B as it was. A step takes a product
 * with the sparse G and one with its transpose; GᵀΛG is never formed. With T = G·D for the direction D the curvature of a column
 * is Σ λt² + λ_B|d|², so that the last step needs T alone.
 *
 * The rule of the rows ends it (`tolerance`, `maxSteps`), fifty times as loose: where Σ r²/m is below (50·tolerance)² of what B
 * explains of Σ λ|y|², one last step is taken.
 *
 * @returns by how much the objective is lower for it.
 */
export async function fitFeatures(bench: Workbench, side: Side, map: FeatureMap): Promise<number> {
  const { tolerance, maxSteps } = bench.options
  const { regularization } = map
  const passes = openPasses(bench, side, map)
  const [length, error] = await passes.rowResidual(side.factors!)
  let [residuals, squares] = await passes.start()
  const explained = total(length) - total(error) - regularization * map.squaredNorm
  const limit = (LOOSER * tolerance) ** 2 * Math.max(explained, total(residuals))
  let gain = 0
  for (let step = 1; total(residuals) > 0; step++) {
    const last = step === maxSteps || total(residuals) <= limit
    const [curvatures] = await passes.rowProduct()
    const lengths = residuals.map((rz, j) =>
      Math.fround(rz > 0 ? rz / (curvatures[j] + regularization * squares[j]) : 0),
    )
    for (let j = 0; j < lengths.length; j++) gain += lengths[j] * residuals[j]
    map.squaredNorm = total(await passes.stepVectors(lengths))
    await passes.stepPredicted(lengths)
    if (last) break
    const next = await passes.stepResiduals(lengths, step === 1)
    squares = await passes.turnDirection(next.map((rz, j) => (residuals[j] > 0 ? rz / residuals[j] : 0)))
    residuals = next
  }
  return gain
}

/** G·B for a map that starts from an earlier model's vectors: a step of 1 from zero, in the direction of B. */
export async function predictRows(bench: Workbench, side: Side, map: FeatureMap): Promise<void> {
  const { padded } = bench.share.layout
  const { vectors, evident, slabs } = map
  if (map.squaredNorm === 0) return
  for (const { memory, direction, first, width } of slabs) {
    const to = new Float32Array(memory.buffer, direction, evident.length * width)
    for (let f = 0; f < evident.length; f++) {
      const at = f * padded + first
      to.set(vectors.subarray(at, at + width), f * width)
    }
  }
  const passes = openPasses(bench, side, map)
  await passes.rowProduct()
  await passes.stepPredicted(new Float64Array(padded).fill(1))
}

/**
 * B goes on from iteration to iteration and only guides the rows: a step or two each is as good as solving it to the rows' own
 * tolerance. Recall@20 of held-out cold items after 10 iterations, λ_B = 10, then 0.1: 0.4187 and 0.4123 on Last.fm (0.4205 and
 * 0.4091), 0.1516 and 0.1502 on MovieLens; the loss is 8e-4 and 4e-3 higher on Last.fm for less than half the steps.
 */
const LOOSER = 50

/** The passes, each with the sums that it returns, by column. */
function openPasses(bench: Workbench, side: Side, map: FeatureMap) {
  const { pool, running, share, options } = bench
  const { padded } = share.layout
  const { matrix, byFeature, weights, regularization, inverse, vectors, residual, predicted, slabs } = map
  const features = map.featureShards
  const rows = side.solveShards
  const ofFeatures = { byFeature, inverse, regularization, padded }

  /** Runs a pass on the columns of each slab, and adds up its sums, `height` rows of them. */
  const sumOf = async (
    { count }: Shards,
    height: number,
    pass: (slab: FeatureSlab, sums: Float64Array<SharedArrayBuffer>) => Promise<unknown>,
  ): Promise<Float64Array[]> => {
    const width = height * padded
    const sums = sharedFloat64(count * width)
    for (const slab of slabs) await pass(slab, sums)
    const out = new Float64Array(width)
    for (let at = 0; at < sums.length; at++) out[at % width] += sums[at]
    return Array.from({ length: height }, (_, row) => out.subarray(row * padded, (row + 1) * padded))
  }
  const step = async (
    shards: Shards,
    values: Float32Array,
    lengths: Float64Array,
    directionOf: (slab: FeatureSlab) => number,
  ): Promise<Float64Array> => {
    const [squares] = await sumOf(shards, 1, (slab, sums) => {
      const task = { slab, padded, values, direction: directionOf(slab), lengths, sums }
      return runInPlace<typeof stepShards>(bench, 'stepShards', shards, task)
    })
    return squares
  }
  return {
    rowResidual: ({ values, toFactors }: Factors) => {
      loadMatrix(bench, toFactors ?? identity(options.factors), share.layout.restart)
      return sumOf(rows, 2, (slab, sums) => {
        const { bounds } = rows
        const task = { share, slab, bounds, padded, factors: values, predicted, weights, sums }
        return runShards<typeof rowResidualShards>(pool, 'rowResidualShards', rows.count, task, running)
      })
    },
    start: () =>
      sumOf(features, 2, (slab, sums) => {
        const task = { ...ofFeatures, slab, bounds: features.bounds, vectors, sums }
        return runShards<typeof startShards>(pool, 'startShards', features.count, task, running)
      }),
    rowProduct: () =>
      sumOf(rows, 1, (slab, sums) => {
        const task = { slab, bounds: rows.bounds, padded, matrix, weights, sums }
        return runShards<typeof rowProductShards>(pool, 'rowProductShards', rows.count, task, running)
      }),
    stepVectors: (lengths: Float64Array) => step(features, vectors, lengths, ({ direction }) => direction),
    stepPredicted: (lengths: Float64Array) => step(rows, predicted, lengths, ({ products }) => products),
    stepResiduals: async (lengths: Float64Array, atStart: boolean) => {
      const [squares] = await sumOf(features, 1, (slab, sums) => {
        const task = { ...ofFeatures, slab, values: residual, lengths, atStart, sums }
        return runInPlace<typeof residualShards>(bench, 'residualShards', features, task)
      })
      return squares
    },
    turnDirection: async (lengths: Float64Array) => {
      const [squares] = await sumOf(features, 1, (slab, sums) => {
        const { memory, direction, width } = slab
        const values = new Float32Array(memory.buffer, direction, map.evident.length * width)
        const task = { slab, padded, values, width, residual, inverse, lengths, sums }
        return runInPlace<typeof directionShards>(bench, 'directionShards', features, task)
      })
      return squares
    },
  }
}

function total(sums: Float64Array): number {
  let sum = 0
  for (let j = 0; j < sums.length; j++) sum += sums[j]
  return sum
}
