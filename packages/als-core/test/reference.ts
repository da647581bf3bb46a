/** An independent reference: the normal equations of a row written out, in float64, solved by Gaussian elimination. */
import {
  type FeatureMatrix,
  featuresFromCsr,
  type InteractionMatrix,
  type ModelOptions,
  matrixFromTriplets,
} from '../src/index.ts'
import { random } from './recommend-model.ts'

export type Objective = Pick<
  ModelOptions,
  'objective' | 'alpha' | 'unobservedWeight' | 'regularization' | 'regularizationScaling'
>

/** Solves the given rows of one side against the fixed factors, regularised towards `prior`; rows × k. */
export function solveExactly(
  matrix: InteractionMatrix,
  side: 'users' | 'items',
  fixed: Float32Array,
  k: number,
  options: Objective,
  rows: number[],
  prior?: Float64Array,
): Map<number, Float64Array> {
  const sparse = side === 'users' ? matrix.csr : matrix.csc
  const others = side === 'users' ? matrix.items : matrix.users
  const weightOfAll = options.objective === 'hkv' ? 1 : options.unobservedWeight
  const gram = new Float64Array(k * k)
  for (let r = 0; r < others; r++) {
    for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) gram[i * k + j] += fixed[r * k + i] * fixed[r * k + j]
  }
  const solved = new Map<number, Float64Array>()
  for (const row of rows) {
    const n = sparse.indptr[row + 1] - sparse.indptr[row]
    if (n === 0) {
      solved.set(row, new Float64Array(k))
      continue
    }
    const lambda = lambdaOf(n, others, options)
    const a = gram.map((value) => weightOfAll * value)
    const b = new Float64Array(k)
    for (let i = 0; i < k; i++) {
      a[i * k + i] += lambda
      if (prior) b[i] += lambda * prior[row * k + i]
    }
    for (let e = sparse.indptr[row]; e < sparse.indptr[row + 1]; e++) {
      const value = matrix.codebook ? matrix.codebook[sparse.values[e]] : sparse.values[e]
      const confidence = options.alpha * Math.abs(value)
      const preference = value > 0 ? 1 : 0
      // hkv: c replaces the weight 1 of a pair; ials: c comes on top of the weight α0.
      const weight = options.objective === 'hkv' ? confidence - 1 : confidence
      const f = fixed.subarray(sparse.indices[e] * k, (sparse.indices[e] + 1) * k)
      for (let i = 0; i < k; i++) {
        b[i] += confidence * preference * f[i]
        for (let j = 0; j < k; j++) a[i * k + j] += weight * f[i] * f[j]
      }
    }
    solved.set(row, eliminate(a, b, k))
  }
  return solved
}

/** λ of a row with n entries. */
function lambdaOf(n: number, others: number, options: Objective): number {
  const { regularizationScaling: scaling, regularization } = options
  const weightOfAll = options.objective === 'hkv' ? 1 : options.unobservedWeight
  if (scaling === 'none') return regularization
  if (scaling === 'count') return regularization * n
  return regularization * (n + weightOfAll * others) ** scaling.nu
}

/** Features of a side with the map that predicts its factors. */
export interface Predictor {
  readonly matrix: FeatureMatrix
  readonly vectors: Float32Array | Float64Array
  readonly regularization: number
}

/** Bᵀg of every row, rows × k. */
export function predict({ matrix: { rows, indptr, indices, values }, vectors }: Predictor, k: number): Float64Array {
  const predicted = new Float64Array(rows * k)
  for (let r = 0; r < rows; r++) {
    for (let e = indptr[r]; e < indptr[r + 1]; e++) {
      for (let f = 0; f < k; f++) predicted[r * k + f] += values[e] * vectors[indices[e] * k + f]
    }
  }
  return predicted
}

/** The ridge regression of factors on features with row weights λ: the normal equations, formed and solved. Features × k. */
export function regress(
  matrix: InteractionMatrix,
  side: 'users' | 'items',
  { features, indptr, indices, values }: FeatureMatrix,
  factors: Float32Array,
  k: number,
  options: Objective,
  regularization: number,
): Float64Array {
  const rows = (side === 'users' ? matrix.csr : matrix.csc).indptr
  const others = side === 'users' ? matrix.items : matrix.users
  const a = new Float64Array(features * features)
  const b = new Float64Array(features * k)
  for (let f = 0; f < features; f++) a[f * features + f] = regularization
  for (let r = 0; r + 1 < rows.length; r++) {
    const n = rows[r + 1] - rows[r]
    if (n === 0) continue
    const lambda = lambdaOf(n, others, options)
    for (let e = indptr[r]; e < indptr[r + 1]; e++) {
      const g = lambda * values[e]
      for (let f = 0; f < k; f++) b[indices[e] * k + f] += g * factors[r * k + f]
      for (let o = indptr[r]; o < indptr[r + 1]; o++) a[indices[e] * features + indices[o]] += g * values[o]
    }
  }
  const vectors = new Float64Array(features * k)
  for (let f = 0; f < k; f++) {
    const column = eliminate(
      a.slice(),
      Float64Array.from({ length: features }, (_, t) => b[t * k + f]),
      features,
    )
    for (let t = 0; t < features; t++) vectors[t * k + f] = column[t]
  }
  return vectors
}

/**
 * Features of `rows` rows: the first shared by all rows that have any, the last of none, a few of the others in each row by
 * values between 0.2 and 1, and every seventh row without any.
 */
export function makeFeatures(rows: number, features: number, seed: number): FeatureMatrix {
  const next = random(seed)
  const csr = { indptr: [0], indices: [] as number[], values: [] as number[] }
  for (let r = 0; r < rows; r++) {
    const taken = new Set<number>(r % 7 === 3 ? [] : [0])
    for (let draw = 0; taken.size > 0 && draw < 6; draw++) taken.add(Math.floor(next() ** 2 * (features - 1)))
    for (const feature of taken) {
      csr.indices.push(feature)
      csr.values.push(0.2 + 0.8 * next())
    }
    csr.indptr.push(csr.indices.length)
  }
  return featuresFromCsr({ rows, names: Array.from({ length: features }, (_, f) => `feature ${f}`), ...csr })
}

/** The objective summed over all users × items pairs, one by one. */
export function sumLoss(
  matrix: InteractionMatrix,
  x: Float32Array,
  y: Float32Array,
  k: number,
  options: Objective,
  features: { users?: Predictor; items?: Predictor } = {},
): number {
  const { users, items, csr, csc, codebook } = matrix
  let loss = 0
  for (let u = 0; u < users; u++) {
    const values = new Map<number, number>()
    for (let e = csr.indptr[u]; e < csr.indptr[u + 1]; e++) {
      values.set(csr.indices[e], codebook ? codebook[csr.values[e]] : csr.values[e])
    }
    for (let i = 0; i < items; i++) {
      let score = 0
      for (let f = 0; f < k; f++) score += x[u * k + f] * y[i * k + f]
      const value = values.get(i)
      const confidence = options.alpha * Math.abs(value ?? 0)
      const preference = (value ?? 0) > 0 ? 1 : 0
      if (options.objective === 'ials') loss += options.unobservedWeight * score ** 2
      if (value !== undefined) loss += confidence * (preference - score) ** 2
      else if (options.objective === 'hkv') loss += score ** 2
    }
  }
  for (const [factors, indptr, others, predictor] of [
    [x, csr.indptr, items, features.users],
    [y, csc.indptr, users, features.items],
  ] as const) {
    const predicted = predictor && predict(predictor, k)
    for (let r = 0; r + 1 < indptr.length; r++) {
      const n = indptr[r + 1] - indptr[r]
      // A row without entries has no part in it; its factors are zero.
      if (n === 0) continue
      const lambda = lambdaOf(n, others, options)
      for (let f = 0; f < k; f++) loss += lambda * (factors[r * k + f] - (predicted?.[r * k + f] ?? 0)) ** 2
    }
    for (const value of predictor?.vectors ?? []) loss += predictor!.regularization * value ** 2
  }
  return loss
}

/**
 * A matrix whose users have the given numbers of entries, on random items; the first user and the last item have the
 * first count. Values: a few distinct ones (a codebook) or as many as entries; a tenth negative.
 */
export function makeMatrix(
  counts: number[],
  items: number,
  values: 'codebook' | 'float' = 'codebook',
  seed = 7,
): InteractionMatrix {
  const next = random(seed)
  const triplets = { rows: [] as number[], columns: [] as number[], values: [] as number[] }
  counts.forEach((count, user) => {
    const taken = new Set<number>()
    // The last item stays without entries.
    while (taken.size < count) taken.add(Math.floor(next() * (items - 1)))
    for (const item of taken) {
      triplets.rows.push(user)
      triplets.columns.push(item)
      const size = values === 'codebook' ? [1.5, 2, 3, 4, 5][Math.floor(next() * 5)] : 0.5 + 4 * next()
      triplets.values.push(next() < 0.1 ? -size : size)
    }
  })
  return matrixFromTriplets({ users: counts.length, items, ...triplets })
}

/** Factors with the spread of a trained model: each direction a little weaker than the one before. */
export function makeFactors(rows: number, k: number, seed: number): Float32Array<SharedArrayBuffer> {
  const next = random(seed)
  const factors = new Float32Array(new SharedArrayBuffer(rows * k * 4))
  for (let at = 0; at < factors.length; at++) {
    factors[at] = ((next() + next() + next() - 1.5) / Math.sqrt(k)) * 0.98 ** (at % k)
  }
  return factors
}

/** Gaussian elimination with partial pivoting. */
function eliminate(a: Float64Array, b: Float64Array, k: number): Float64Array {
  for (let c = 0; c < k; c++) {
    let pivot = c
    for (let r = c + 1; r < k; r++) if (Math.abs(a[r * k + c]) > Math.abs(a[pivot * k + c])) pivot = r
    if (pivot !== c) {
      for (let j = c; j < k; j++) [a[c * k + j], a[pivot * k + j]] = [a[pivot * k + j], a[c * k + j]]
      ;[b[c], b[pivot]] = [b[pivot], b[c]]
    }
    for (let r = c + 1; r < k; r++) {
      const s = a[r * k + c] / a[c * k + c]
      if (s === 0) continue
      for (let j = c; j < k; j++) a[r * k + j] -= s * a[c * k + j]
      b[r] -= s * b[c]
    }
  }
  for (let r = k - 1; r >= 0; r--) {
    let s = b[r]
    for (let j = r + 1; j < k; j++) s -= a[r * k + j] * b[j]
    b[r] = s / a[r * k + r]
  }
  return b
}
