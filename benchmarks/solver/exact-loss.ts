/**
 * The objective in f64 from f32 factors, the same code for every program that is compared.
 *
 *   hkv   Σ_S [c (1 - x·y)² - (x·y)²] + Σ_all (x·y)² + λ (|X|² + |Y|²),          c = r
 *   ials  Σ_S c (1 - x·y)² + α0 Σ_all (x·y)² + Σ_u λ_u |x_u|² + Σ_i λ_i |y_i|²,  λ_u = λ (n_u + α0 n)^ν
 *
 * S is the set of entries, Σ_all (x·y)² = trace(XᵀX · YᵀY). The sum is divided by the sum of all weights: Σ c + mn - |S|
 * (hkv, which is what implicit prints) or Σ c + α0 mn (ials).
 */
import { availableParallelism } from 'node:os'
import type { InteractionMatrix } from '@seesaw/als-core'
import { Piscina } from 'piscina'

export type Objective =
  | { objective: 'hkv'; regularization: number }
  | { objective: 'ials'; regularization: number; unobservedWeight: number; nu: number }

/** Factors of both sides, row-major f32. */
export interface Factors {
  factors: number
  users: Float32Array<SharedArrayBuffer>
  items: Float32Array<SharedArrayBuffer>
}

export interface EntriesTask extends Factors {
  step: 'entries'
  from: number
  to: number
  matrix: InteractionMatrix
  objective: Objective['objective']
}

export interface GramTask {
  step: 'gram'
  from: number
  to: number
  factors: number
  rows: Float32Array<SharedArrayBuffer>
  /** λ of each row. */
  regularization: Float64Array
}

/** Upper triangle of the Gram matrix of some rows and their Σ λ_r |x_r|². */
export interface GramShare {
  gram: Float64Array
  penalty: number
}

/** Computes losses on all cores, between the timed iterations. */
export class ExactLoss {
  #matrix: InteractionMatrix
  #pool: Piscina

  constructor(matrix: InteractionMatrix) {
    this.#matrix = matrix
    this.#pool = new Piscina({
      filename: new URL('./exact-loss-worker.ts', import.meta.url).href,
      minThreads: 1,
      maxThreads: availableParallelism(),
      idleTimeout: 1000,
    })
  }

  async of(model: Factors, objective: Objective): Promise<number> {
    const matrix = this.#matrix
    const [entries, users, items] = await Promise.all([
      this.#entries(model, objective),
      this.#gram(model, model.users, rowRegularization(matrix.csr.indptr, matrix.items, objective)),
      this.#gram(model, model.items, rowRegularization(matrix.csc.indptr, matrix.users, objective)),
    ])
    const everywhere = traceOfProduct(users.gram, items.gram, model.factors)
    const unobserved = objective.objective === 'hkv' ? 1 : objective.unobservedWeight
    return (entries + unobserved * everywhere + users.penalty + items.penalty) / this.weights(objective)
  }

  /** The sum of all weights, which a loss is divided by. */
  weights(objective: Objective): number {
    const { users, items, entries, csr, codebook } = this.#matrix
    let observed = 0
    for (let e = 0; e < entries; e++) observed += codebook ? codebook[csr.values[e]] : csr.values[e]
    if (objective.objective === 'hkv') return observed + users * items - entries
    return observed + objective.unobservedWeight * users * items
  }

  close(): Promise<void> {
    return this.#pool.destroy()
  }

  async #entries(model: Factors, { objective }: Objective): Promise<number> {
    const matrix = this.#matrix
    const tasks = ranges(matrix.users, 64).map(
      ([from, to]): EntriesTask => ({ step: 'entries', from, to, matrix, objective, ...model }),
    )
    const shares: number[] = await Promise.all(tasks.map((task) => this.#pool.run(task)))
    return shares.reduce((a, b) => a + b)
  }

  async #gram({ factors }: Factors, rows: GramTask['rows'], regularization: Float64Array): Promise<GramShare> {
    const tasks = ranges(rows.length / factors, 8).map(([from, to]): GramTask => {
      return { step: 'gram', from, to, factors, rows, regularization: regularization.slice(from, to) }
    })
    const shares: GramShare[] = await Promise.all(tasks.map((task) => this.#pool.run(task)))
    return shares.reduce((a, b) => ({
      gram: a.gram.map((value, i) => value + b.gram[i]),
      penalty: a.penalty + b.penalty,
    }))
  }
}

function rowRegularization(indptr: Float64Array, others: number, objective: Objective): Float64Array {
  const lambda = objective.regularization
  if (objective.objective === 'hkv') return new Float64Array(indptr.length - 1).fill(lambda)
  const { unobservedWeight, nu } = objective
  return Float64Array.from(
    { length: indptr.length - 1 },
    (_, row) => lambda * (indptr[row + 1] - indptr[row] + unobservedWeight * others) ** nu,
  )
}

/** trace(A·B) of two symmetric matrices given by their upper triangles: Σ_i a_ii b_ii + 2 Σ_i<j a_ij b_ij. */
function traceOfProduct(a: Float64Array, b: Float64Array, k: number): number {
  let trace = 0
  for (let i = 0; i < k; i++) {
    trace += a[i * k + i] * b[i * k + i]
    for (let j = i + 1; j < k; j++) trace += 2 * a[i * k + j] * b[i * k + j]
  }
  return trace
}

function ranges(length: number, parts: number): [number, number][] {
  const cut = (part: number) => Math.floor((length * part) / parts)
  return Array.from({ length: parts }, (_, part) => [cut(part), cut(part + 1)])
}
