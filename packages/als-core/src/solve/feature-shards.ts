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

/** E = Y - G·B, in the place of the products. */
export interface RowResidualTask extends Pass, RowsTask {
  readonly weights: Float64Array
  /** rows × padded: Y, in the basis whose P is at `restart`. */
  readonly factors: Float32Array
  /** rows × padded: G·B. */
  readonly predicted: Float32Array
}

/** Worker task: the residual of the rows. Sums: Σ λ y², then Σ λ e². */
export function rowResidualShards(task: RowResidualTask): void {
  const { share, slab, slot, board, bounds, padded, factors, predicted, weights, sums } = task
  const solver = viewKernel(share, slot)
  const view = viewFeatures(slab, slot)
  const { kernel, stride } = view
  const y = view.at('block')
  const p = view.at('rows')
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
      const e = slab.products + first * stride
      kernel.subtractRows(rows, y, p, view.at('scales'), e, stride, view.at('sums'), view.at('totals'))
    }
    view.writeTotals(sums, 2 * shard * padded, padded, 2)
  }
}

/** T = G·D */
export interface RowProductTask extends Pass {
  readonly matrix: FeatureRows
  readonly weights: Float64Array
}

/** Worker task: the product with G. Sums: Σ λ t². */
export function rowProductShards(task: RowProductTask): void {
  const { slab, slot, board, bounds, padded, matrix, weights, sums } = task
  const view = viewFeatures(slab, slot)
  const { kernel, stride, f32 } = view
  const block = view.at('block')
  for (const shard of takeShards(board)) {
    view.clearTotals(1)
    forEachBlock(matrix, bounds, shard, (first, rows) => {
      view.gather(matrix, first, rows, slab.direction)
      view.setScales(weights, first, rows)
      kernel.squareRows(rows, block, view.at('scales'), stride, view.at('sums'), view.at('totals'))
      f32.copyWithin((slab.products + first * stride) / 4, block / 4, block / 4 + rows * slab.width)
    })
    view.writeTotals(sums, shard * padded, padded, 1)
  }
}

/** What a pass over features reads of the map. */
type Features = Pick<FeatureMap, 'byFeature' | 'inverse' | 'regularization'>

/** R = Gᵀ·Λ·E - λ_B·B and D = R/M, M the diagonal. R is M·D still, and not stored. */
export interface StartTask extends Pass, Features {
  readonly vectors: Float32Array
}

/** Worker task: the first direction. Sums: Σ r²/m, then Σ d². */
export function startShards(task: StartTask): void {
  const { slab, slot, board, bounds, padded, byFeature, inverse, regularization, vectors, sums } = task
  const view = viewFeatures(slab, slot)
  const { kernel, stride } = view
  const [product, b, scales, partial, totals] = places(view, 'block', 'rows', 'scales', 'sums', 'totals')
  for (const shard of takeShards(board)) {
    view.clearTotals(2)
    forEachBlock(byFeature, bounds, shard, (first, rows) => {
      view.gather(byFeature, first, rows, slab.products)
      view.bring(vectors, padded, first, rows, b)
      view.setScales(inverse, first, rows)
      const d = slab.direction + first * stride
      kernel.startRows(rows, product, b, scales, regularization, d, stride, partial, totals)
    })
    view.writeTotals(sums, 2 * shard * padded, padded, 2)
  }
}

interface StepTask extends Omit<Pass, 'bounds'>, InPlaceTask {
  /** α, or β, by column. */
  readonly lengths: Float64Array
}

/** B += D·diag(α), or G·B += T·diag(α) */
export interface VectorTask extends StepTask {
  /** Address of D or T in the slab. */
  readonly direction: number
}

/** Worker task: a step of rows in place. Sums: the squares of the rows. */
export function stepShards(task: VectorTask): void {
  const { slab, slot, bounds, padded, values, direction, lengths, sums } = task
  const view = viewFeatures(slab, slot)
  const { kernel, stride } = view
  const [b, columns, partial, totals] = places(view, 'block', 'columns', 'sums', 'totals')
  view.setColumns(lengths)
  for (const shard of takeInPlace(task)) {
    view.clearTotals(1)
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = Math.min(BLOCK_ROWS, end - first)
      view.bring(values, padded, first, rows, b)
      kernel.stepRows(rows, b, direction + first * stride, columns, stride, partial, totals)
      view.take(values, padded, first, rows, b)
    }
    view.writeTotals(sums, shard * padded, padded, 1)
  }
}

/** R -= (Gᵀ·Λ·T + λ_B·D)·diag(α) */
export interface ResidualTask extends StepTask, Features {
  /** Whether R is M·D still. */
  readonly atStart: boolean
}

/** Worker task: the residual after a step, in place. Sums: Σ r²/m. */
export function residualShards(task: ResidualTask): void {
  const { slab, slot, bounds, padded, values, byFeature, inverse, regularization, lengths, atStart, sums } = task
  const view = viewFeatures(slab, slot)
  const { kernel, stride } = view
  const [product, r, scales, columns, partial, totals] = places(
    view,
    ...(['block', 'rows', 'scales', 'columns', 'sums', 'totals'] as const),
  )
  view.setColumns(lengths)
  for (const shard of takeInPlace(task)) {
    view.clearTotals(1)
    forEachBlock(byFeature, bounds, shard, (first, rows) => {
      const d = slab.direction + first * stride
      view.gather(byFeature, first, rows, slab.products)
      view.setScales(inverse, first, rows)
      if (atStart) kernel.scaleRows(rows, d, scales, r, stride)
      else view.bring(values, padded, first, rows, r)
      kernel.lowerRows(rows, r, product, d, scales, regularization, columns, stride, partial, totals)
      view.take(values, padded, first, rows, r)
    })
    view.writeTotals(sums, shard * padded, padded, 1)
  }
}

/** D = R/M + D·diag(β) */
export interface DirectionTask extends StepTask, Pick<Features, 'inverse'> {
  readonly residual: Float32Array
}

/** Worker task: the next direction in place. Sums: Σ d². */
export function directionShards(task: DirectionTask): void {
  const { slab, slot, bounds, padded, residual, inverse, lengths, sums } = task
  const view = viewFeatures(slab, slot)
  const { kernel, stride } = view
  const [r, scales, columns, partial, totals] = places(view, 'block', 'scales', 'columns', 'sums', 'totals')
  view.setColumns(lengths)
  for (const shard of takeInPlace(task)) {
    view.clearTotals(1)
    const end = bounds[2 * shard + 1]
    for (let first = bounds[2 * shard]; first < end; first += BLOCK_ROWS) {
      const rows = Math.min(BLOCK_ROWS, end - first)
      view.bring(residual, padded, first, rows, r)
      view.setScales(inverse, first, rows)
      kernel.turnRows(rows, slab.direction + first * stride, r, scales, columns, stride, partial, totals)
    }
    view.writeTotals(sums, shard * padded, padded, 1)
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
