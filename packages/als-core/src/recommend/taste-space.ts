import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { number } from '../checks/values.ts'
import { cholesky, invertLower, transposed } from '../linear-algebra/dense.ts'
import { gramOf } from '../linear-algebra/gram-rows.ts'
import { multiplyRows } from '../linear-algebra/multiply-rows.ts'
import type { AlsModel } from '../model/als-model.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { type WorkerPool, withPool } from '../pool/worker-pool.ts'

export interface TasteSpaceOptions {
  /** Threads for YᵀY and for transforming vectors; without it each call starts its own and ends them. */
  pool?: WorkerPool
  /** Number of threads of an own pool. Default: all cores. */
  threads?: number
  signal?: AbortSignal
}

export interface TasteVectorsOptions extends TasteSpaceOptions {
  /**
   * p: item vectors are divided by their length to the power p, from 0 to 1. Default 0, the model's own scores. Towards 1
   * lists become less popular and more alike to the seeds; docs/serving.md has the curves.
   */
  lengthExponent?: number
  /** Where the result goes: as long as the input, and other memory. Default: new memory. */
  into?: Float32Array<SharedArrayBuffer>
}

/**
 * A basis of a model's vectors in which the average of a few items is nearly the user who would be folded in from them.
 *
 * Folding in the items H gives x = (A + …)⁻¹ Σ_H c·y with A = α0·YᵀY + λ̄·I, where λ̄ is the mean λ of the users. So the
 * score of item j for that user is nearly y_jᵀ A⁻¹ Σ_H c·y. With A = L·Lᵀ an item is z = L⁻¹·y and a user Lᵀ·x: then
 * z_j·Σ_H c·z_i is that score, and a user's inner product with an item is x·y as before. One index serves item to
 * item, a blend of items, and user to item, all by inner product.
 */
export interface TasteSpace {
  /** Length of a vector. */
  readonly factors: number
  /** λ̄, the mean regularization of the users. */
  readonly lambda: number
  /** A⁻¹, k×k: times a confidence-weighted sum of item factors it is nearly the factors of the user who has them. */
  readonly fold: Float64Array
  /** z = L⁻¹·y of item factors (rows × k, row-major). */
  itemVectors(factors: Float32Array, options?: TasteVectorsOptions): Promise<Float32Array<SharedArrayBuffer>>
  /** Lᵀ·x of user factors. */
  userVectors(
    factors: Float32Array,
    options?: Omit<TasteVectorsOptions, 'lengthExponent'>,
  ): Promise<Float32Array<SharedArrayBuffer>>
  /** y = L·z: item factors of vectors of this space that were not divided by their length. */
  itemFactors(
    vectors: Float32Array,
    options?: Omit<TasteVectorsOptions, 'lengthExponent'>,
  ): Promise<Float32Array<SharedArrayBuffer>>
  /** x = L⁻ᵀ·v: user factors of vectors of this space. */
  userFactors(
    vectors: Float32Array,
    options?: Omit<TasteVectorsOptions, 'lengthExponent'>,
  ): Promise<Float32Array<SharedArrayBuffer>>
}

/** What a taste space needs of a model whose item factors come in batches of whole rows, being too many for one memory. */
export interface StreamedItems extends Pick<AlsModel, 'factors' | 'userRegularization'> {
  readonly options: Pick<AlsModel['options'], 'regularization' | 'regularizationScaling' | 'unobservedWeight'>
  readonly itemFactors: AsyncIterable<Float32Array>
}

/**
 * The taste space of a model: k² numbers, computed from the item factors in float64.
 *
 * @throws RangeError when the model does not know its users' mean regularization (an older file with a scaling other than
 * 'none'), or when A is not positive definite, which takes a regularization of 0.
 */
export async function tasteSpace(
  model: AlsModel | StreamedItems,
  options: TasteSpaceOptions = {},
): Promise<TasteSpace> {
  refuseUnknownNames('tasteSpace', options, SPACE_NAMES)
  options.signal?.throwIfAborted()
  const { factors: k, itemFactors } = model
  const lambda = userLambda(model)
  const gram = await withPool(options, (pool) =>
    Symbol.asyncIterator in itemFactors
      ? gramOfBatches(itemFactors, k, pool, options.signal)
      : gramOf(itemFactors, k, pool),
  )
  const system = gram.map((value) => model.options.unobservedWeight * value)
  for (let i = 0; i < k; i++) system[i * k + i] += lambda
  const root = cholesky(system, k)
  if (!root) {
    throw new RangeError(
      `The matrix of the taste space is not positive definite (mean regularization of the users ${lambda}). Train with a larger regularization.`,
    )
  }
  const inverse = invertLower(root, k)
  const fold = new Float64Array(k * k)
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++)
      for (let t = Math.max(i, j); t < k; t++) fold[i * k + j] += inverse[t * k + i] * inverse[t * k + j]
  }
  const apply =
    (matrix: Float64Array, shape: 'lower' | 'upper', name: string, names = VECTORS_NAMES) =>
    (vectors: Float32Array, options: TasteVectorsOptions = {}) => {
      refuseUnknownNames('the taste space', options, names)
      const { pool, threads, signal, lengthExponent = 0, into } = options
      checkVectors(vectors, k, lengthExponent, into, name)
      return withPool({ pool, threads }, (pool) =>
        multiplyRows(onSharedMemory(vectors), matrix, k, { pool, shape, lengthExponent, into, signal }),
      )
    }
  return {
    factors: k,
    lambda,
    fold,
    itemVectors: apply(inverse, 'lower', 'factors', ITEM_NAMES),
    userVectors: apply(transposed(root, k), 'upper', 'factors'),
    itemFactors: apply(root, 'lower', 'vectors'),
    userFactors: apply(transposed(inverse, k), 'upper', 'vectors'),
  }
}

const SPACE_NAMES: Readonly<Record<keyof TasteSpaceOptions, true>> = { pool: true, threads: true, signal: true }
const VECTORS_NAMES: Readonly<Record<string, true>> = { ...SPACE_NAMES, into: true }
const ITEM_NAMES: Readonly<Record<keyof TasteVectorsOptions, true>> = {
  ...SPACE_NAMES,
  into: true,
  lengthExponent: true,
}

/** λ̄: the mean λ of the users who have entries. */
function userLambda({ options, userRegularization }: Pick<StreamedItems, 'options' | 'userRegularization'>): number {
  const lambda = options.regularizationScaling === 'none' ? options.regularization : userRegularization
  if (lambda !== undefined) return lambda
  throw new RangeError(
    'The model has no userRegularization, the mean λ of its users, and its regularizationScaling makes it depend on the data. Train and save the model again with this version.',
  )
}

function checkVectors(
  vectors: Float32Array,
  k: number,
  lengthExponent: number,
  into: Float32Array | undefined,
  name: string,
): void {
  if (vectors.length % k !== 0) {
    throw new RangeError(`${name} has ${vectors.length} values, expected a multiple of ${k}, one vector per row.`)
  }
  number('lengthExponent', lengthExponent, 0, 1)
  if (into && into.buffer === vectors.buffer) {
    throw new RangeError(`into shares the memory of ${name}. Pass other memory, or vectors in batches.`)
  }
  if (into && into.length !== vectors.length) {
    throw new RangeError(`into has ${into.length} values, expected ${vectors.length}, as ${name} has.`)
  }
}

async function gramOfBatches(
  batches: AsyncIterable<Float32Array>,
  k: number,
  pool: WorkerPool,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const sum = new Float64Array(k * k)
  for await (const batch of batches) {
    signal?.throwIfAborted()
    checkVectors(batch, k, 0, undefined, 'itemFactors')
    const gram = await gramOf(onSharedMemory(batch), k, pool)
    for (let i = 0; i < gram.length; i++) sum[i] += gram[i]
  }
  return sum
}

function onSharedMemory(vectors: Float32Array): Float32Array<SharedArrayBuffer> {
  if (vectors.buffer instanceof SharedArrayBuffer) return vectors as Float32Array<SharedArrayBuffer>
  const shared = sharedFloat32(vectors.length)
  shared.set(vectors)
  return shared
}
