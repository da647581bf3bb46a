import type { FeatureMatrix } from '../features/feature-matrix.ts'
import { valueAt } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel, FeatureVectors } from './als-model.ts'
import type { ModelOptions } from './options.ts'

/**
 * The objective and what an entry of value r adds to it. With c = α·|r| the confidence and p = 1 where r > 0, else 0, the
 * preference, a row x of the solved side minimises f(x) = xᵀ(α0·FᵀF + λI + Σ w f fᵀ)x - 2·xᵀ Σ b f over the rows f of the
 * fixed side F. The kernel computes the same in float32: `weighValues` in assembly/solve/entries.ts.
 */
export type ObjectiveOptions = Pick<
  ModelOptions,
  'objective' | 'unobservedWeight' | 'alpha' | 'regularization' | 'regularizationScaling'
>

/** What turns the value of an entry into the terms of its row's system. */
export interface EntryTerms {
  readonly alpha: number
  /** How much of an observed pair's confidence is in the dense part α0·FᵀF already: 1 for 'hkv', 0 for 'ials'. */
  readonly shift: number
}

export function entryTerms({ alpha, objective }: Pick<ModelOptions, 'alpha' | 'objective'>): EntryTerms {
  return { alpha, shift: objective === 'hkv' ? 1 : 0 }
}

/** c = α·|r|, the confidence. */
export function confidenceOf(value: number, { alpha }: Pick<EntryTerms, 'alpha'>): number {
  return alpha * Math.abs(value)
}

/** w = c - shift, the weight. */
export function weightOf(value: number, terms: EntryTerms): number {
  return confidenceOf(value, terms) - terms.shift
}

/** b = c·p, the target. */
export function targetOf(value: number, terms: Pick<EntryTerms, 'alpha'>): number {
  return value > 0 ? confidenceOf(value, terms) : 0
}

/** λ of a row with n entries: base·(n + extra)^exponent. */
export interface RowLambda {
  readonly base: number
  readonly extra: number
  readonly exponent: number
}

/** How λ depends on a row's number of entries; `others`: number of rows of the other side. */
export function rowLambda(
  options: Pick<ModelOptions, 'regularization' | 'regularizationScaling' | 'unobservedWeight'>,
  others: number,
): RowLambda {
  const base = options.regularization
  if (options.regularizationScaling === 'none') return { base, extra: 0, exponent: 0 }
  if (options.regularizationScaling === 'count') return { base, extra: 0, exponent: 1 }
  return { base, extra: options.unobservedWeight * others, exponent: options.regularizationScaling.nu }
}

/** λ of a row with n entries. */
export function lambdaOf({ base, extra, exponent }: RowLambda, n: number): number {
  return base * (n + extra) ** exponent
}

/** Σ b over the entries: the constant of the objective, c p² of each liked entry. */
export function sumOfTargets({ csr, codebook }: InteractionMatrix, terms: EntryTerms): number {
  const { values } = csr
  let sum = 0
  if (codebook) {
    const counts = new Float64Array(256)
    for (let e = 0; e < values.length; e++) counts[values[e]]++
    codebook.forEach((value, code) => {
      sum += counts[code] * targetOf(value, terms)
    })
    return sum
  }
  for (let e = 0; e < values.length; e++) sum += targetOf(values[e], terms)
  return sum
}

/**
 * The objective of a model on a matrix, over all users × items pairs, in float64 and without forming them:
 * Σ_all α0 (x·y)² = α0·trace(XᵀX · YᵀY), plus a term for each observed entry, plus the regularisation.
 * `train` reports the same number from its last half-sweep; this function recomputes it from the factors.
 *
 * @param features those that the model was trained with; the penalty is Σ λ|x - Aᵀf|² + λ_A|A|² then, over rows with entries
 * @throws RangeError when the model has feature vectors and `features` is not what they are of
 */
export function computeLoss(
  model: Pick<AlsModel, 'factors' | 'userFactors' | 'itemFactors' | 'itemWeights' | 'userFeatures' | 'itemFeatures'>,
  matrix: InteractionMatrix,
  options: ObjectiveOptions,
  features: { userFeatures?: FeatureMatrix; itemFeatures?: FeatureMatrix } = {},
): number {
  const { factors: k, userFactors: x, itemFactors: y, itemWeights } = model
  const { csr, csc, codebook, users, items } = matrix
  const terms = entryTerms(options)
  let loss = 0
  for (let u = 0; u < users; u++) {
    for (let e = csr.indptr[u]; e < csr.indptr[u + 1]; e++) {
      let score = 0
      const at = csr.indices[e] * k
      for (let j = 0; j < k; j++) score += x[u * k + j] * y[at + j]
      const weight = itemWeights ? itemWeights[csr.indices[e]] : 1
      const value = weight * valueAt(csr, codebook, e)
      const preference = value > 0 ? 1 : 0
      // 'hkv' counts an observed pair once, with c; the trace below counts it again, as unobserved.
      loss += confidenceOf(value, terms) * (preference - score) ** 2 - terms.shift * score * score
    }
  }
  const gramX = gram(x, k)
  const gramY = gram(y, k)
  let trace = 0
  for (let i = 0; i < k * k; i++) trace += gramX[i] * gramY[i]
  loss += options.unobservedWeight * trace
  for (const [field, factors, { indptr }, others] of [
    ['userFeatures', x, csr, items],
    ['itemFeatures', y, csc, users],
  ] as const) {
    const predictor = predictorOf(field, model[field], features[field], k)
    loss += penalty(factors, k, indptr, rowLambda(options, others), predictor)
  }
  return loss
}

type Predictor = FeatureVectors & { readonly matrix: FeatureMatrix }

function predictorOf(
  field: string,
  vectors: FeatureVectors | undefined,
  matrix: FeatureMatrix | undefined,
  k: number,
): Predictor | undefined {
  if (!vectors && !matrix) return undefined
  if (vectors && matrix && matrix.features * k === vectors.vectors.length) return { ...vectors, matrix }
  throw new RangeError(
    `The model has vectors of ${vectors ? vectors.vectors.length / k : 'no'} ${field}, and ${matrix?.features ?? 'none'} came: pass the ${field} that it was trained with.`,
  )
}

/** Σ λ|x - p|² over the rows of a side that have entries, p = Bᵀg or zero, and λ_B|B|². */
function penalty(
  factors: Float32Array,
  k: number,
  indptr: Float64Array,
  lambda: RowLambda,
  predictor: Predictor | undefined,
): number {
  let sum = 0
  const difference = new Float64Array(k)
  for (let r = 0; r + 1 < indptr.length; r++) {
    if (indptr[r + 1] === indptr[r]) continue
    for (let j = 0; j < k; j++) difference[j] = factors[r * k + j]
    if (predictor) {
      const { matrix, vectors } = predictor
      for (let e = matrix.indptr[r]; e < matrix.indptr[r + 1]; e++) {
        const at = matrix.indices[e] * k
        for (let j = 0; j < k; j++) difference[j] -= matrix.values[e] * vectors[at + j]
      }
    }
    let squared = 0
    for (let j = 0; j < k; j++) squared += difference[j] ** 2
    sum += squared * lambdaOf(lambda, indptr[r + 1] - indptr[r])
  }
  if (!predictor) return sum
  let squared = 0
  for (const value of predictor.vectors) squared += value ** 2
  return sum + predictor.regularization * squared
}

/** Mean λ of the users who have entries. */
export function meanUserLambda(
  options: ObjectiveOptions,
  { csr: { indptr }, users, items }: InteractionMatrix,
): number {
  const lambda = rowLambda(options, items)
  let sum = 0
  let active = 0
  for (let user = 0; user < users; user++) {
    const entries = indptr[user + 1] - indptr[user]
    if (entries === 0) continue
    sum += lambdaOf(lambda, entries)
    active++
  }
  return active > 0 ? sum / active : options.regularization
}

function gram(f: Float32Array, k: number): Float64Array {
  const sum = new Float64Array(k * k)
  for (let r = 0; r < f.length; r += k) {
    for (let i = 0; i < k; i++) {
      const s = f[r + i]
      for (let j = 0; j < k; j++) sum[i * k + j] += s * f[r + j]
    }
  }
  return sum
}
