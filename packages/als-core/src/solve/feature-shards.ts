/** Worker tasks of `fitFeatures`: passes over the rows of a side, and over its features, on the columns of a slab. */

import { type ShardBoard, takeShards } from '../pool/run-shards.ts'
import { copyToSource, type RowsTask } from './block-rows.ts'
import type { FeatureMap } from './feature-map.ts'
import type { FeatureSlab } from './feature-memory.ts'
import { type FeatureRows, type FeatureView, gatheredRows, viewFeatures } from './feature-view.ts'
import { FULL, viewKernel } from './kernel-view.ts'
import { BLOCK_ROWS } from './layout.ts'
import { type InPlaceTask, takeInPlace } from './rows-in-place.ts'

interface Pass {
  readonly slab: FeatureSlab
  readonly slot: number
  readonly board: ShardBoard
  readonly bounds: Float64Array
  /** Columns of the map, those of all slabs. */
  readonly padded: number
  /** Of each shard, by column: added up in the order of the shards, so that threads change no bit. */
  readonly sums: Float64Array
}

/** E = Y - G·B */
export interface RowResidualTask extends Pass, RowsTask {
  readonly weights: Float64Array
  /** rows × padded: Y, in the basis whose P is at `restart`. */
  readonly factors: Float32Array
  /** rows × padded: G·B. */
  readonly predicted: Float32Array
}

/** Worker task: the residual of the rows. Sums: Σ λ y², Σ λ e². */
export function rowResidualShards(task: RowResidualTask): void {
  const { share, slab, slot, board, bounds, padded, factors, predicted, weights, sums } = task
  const solver = viewKernel(share, slot)
  const view = viewFeatures(slab, slot)
  const { kernel, stride } = view
  const [y, p, scales, partial, totals] = places(view, 'block', 'rows', 'scales', 'sums', 'totals')
  const block = solver.at('block')
  const product = solver.f32.subarray(block / 4, block / 4 + BLOCK_ROWS * padded)
  for (const shard of takeShards(board)) {
    view.clearTotals(2)
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = copyToSource(solver, factors, first, end)
      solver.kernel.multiply(solver.at('source'), rows, padded, solver.layout.restart, FULL, block)
      view.bring(product, padded, 0, rows, y)
      view.bring(predicted, padded, first, rows, p)
      view.setScales(weights, first, rows)
      kernel.subtractRows(rows, y, p, scales, slab.products + first * stride, stride, partial, totals)
    }
    view.writeTotals(sums, shard, padded, 2)
  }
}

/** R = Gᵀ·Λ·E - λ_B·B and Z = R/M, M the diagonal. */
export interface GradientTask
  extends Pass,
    Pick<FeatureMap, 'byFeature' | 'inverse' | 'regularization' | 'vectors' | 'step'> {}

/** Worker task: Z, from the slab's E. Sums, D the step before: Σ r z, Σ r d, Σ z², Σ z d, Σ d². */
export function gradientShards(task: GradientTask): void {
  const { slab, slot, board, bounds, padded, byFeature, inverse, regularization, vectors, step, sums } = task
  const view = viewFeatures(slab, slot)
  const { kernel, stride } = view
  const [s, b, d, scales, partial, totals] = places(view, 'block', 'rows', 'steps', 'scales', 'sums', 'totals')
  for (const shard of takeShards(board)) {
    view.clearTotals(5)
    forEachBlock(byFeature, bounds, shard, (first, rows) => {
      view.gather(byFeature, first, rows, slab.products, s)
      view.bring(vectors, padded, first, rows, b)
      view.bring(step, padded, first, rows, d)
      view.setScales(inverse, first, rows)
      const z = slab.gradient + first * stride
      kernel.startRows(rows, s, b, d, scales, regularization, z, stride, partial, totals)
    })
    view.writeTotals(sums, shard, padded, 5)
  }
}

/** T = G·Z */
export interface RowProductTask extends Pass, Pick<FeatureMap, 'matrix' | 'weights' | 'predictedStep'> {}

/** Worker task: T in place of the slab's E. Sums, with U = G·D: Σ λ t², Σ λ t u, Σ λ u². */
export function rowProductShards(task: RowProductTask): void {
  const { slab, slot, board, bounds, padded, matrix, weights, predictedStep, sums } = task
  const view = viewFeatures(slab, slot)
  const { kernel, stride } = view
  const [u, scales, partial, totals] = places(view, 'steps', 'scales', 'sums', 'totals')
  for (const shard of takeShards(board)) {
    view.clearTotals(3)
    forEachBlock(matrix, bounds, shard, (first, rows) => {
      const t = slab.products + first * stride
      view.gather(matrix, first, rows, slab.gradient, t)
      view.bring(predictedStep, padded, first, rows, u)
      view.setScales(weights, first, rows)
      kernel.multiplyRows(rows, t, u, scales, stride, partial, totals)
    })
    view.writeTotals(sums, shard, padded, 3)
  }
}

/** D becomes Z·diag(α) + D·diag(β), and is added to B; or G·D and G·B the same with T for Z. */
export interface MoveTask extends Omit<Pass, 'bounds'>, InPlaceTask {
  /** D, or G·D; `values` is B, or G·B. */
  readonly others: Float32Array
  /** Address of Z or T in the slab. */
  readonly gradient: number
  /** α, then β, by column. */
  readonly lengths: Float64Array
}

/** Worker task: a step, in place. Sums: the squares of what it leads to. */
export function moveShards(task: MoveTask): void {
  const { slab, slot, bounds, padded, values, others, gradient, lengths, sums } = task
  const view = viewFeatures(slab, slot)
  const { kernel, stride } = view
  const [b, d, columns, partial, totals] = places(view, 'rows', 'steps', 'lengths', 'sums', 'totals')
  view.setLengths(lengths)
  for (const shard of takeInPlace(task)) {
    view.clearTotals(1)
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = Math.min(BLOCK_ROWS, end - first)
      view.bring(values, padded, first, rows, b)
      view.bring(others, padded, first, rows, d)
      kernel.moveRows(rows, b, d, gradient + first * stride, columns, stride, partial, totals)
      view.take(values, padded, first, rows, b)
      view.take(others, padded, first, rows, d)
    }
    view.writeTotals(sums, shard, padded, 1)
  }
}

/** The runs of a shard's rows that are gathered together. */
function forEachBlock(
  { indptr }: FeatureRows,
  bounds: Float64Array,
  shard: number,
  work: (first: number, rows: number) => void,
): void {
  const end = bounds[2 * shard + 1]
  for (let first = bounds[2 * shard]; first < end; ) {
    const rows = gatheredRows(indptr, first, end)
    work(first, rows)
    first += rows
  }
}

function places(view: FeatureView, ...areas: (keyof FeatureSlab['areas'])[]): number[] {
  return areas.map(view.at)
}
