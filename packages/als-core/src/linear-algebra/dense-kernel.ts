import * as denseBytes from '../kernel/dense.wasm.ts'
import { compileKernel, type KernelName } from '../kernel/instantiate.ts'
import { runShards } from '../pool/run-shards.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { applySlice, type EigenKernel, type EigenSlices, type eigenShards, SLICE } from './eigen-shards.ts'

/**
 * Float64 algebra on k×k matrices in WebAssembly, on the calling thread but for large eigenproblems. Matrices go in and out as
 * row-major Float64Arrays of k·k elements. One call at a time: until `eigen` is done no other may begin.
 */
export interface DenseKernel {
  /** A·B. Triangles that are known to be zero are not multiplied. */
  product(a: Float64Array, b: Float64Array, known?: { a?: Triangle; b?: Triangle }): Float64Array
  /** V of A = V·Vᵀ, or undefined when A is not positive definite; `triangle` is the kind V is. */
  cholesky(a: Float64Array, triangle: Triangle): Float64Array | undefined
  /** The inverse of a triangular matrix. */
  invert(v: Float64Array, triangle: Triangle): Float64Array
  /** Eigenvalues of symmetric A and its eigenvectors as rows: A = vectorsᵀ·diag(values)·vectors. */
  eigen(a: Float64Array): Promise<{ values: Float64Array; vectors: Float64Array }>
}

/** What a triangular matrix has: nothing above the diagonal, or nothing below it. */
export type Triangle = 'lower' | 'upper'

interface Exports extends EigenKernel {
  product(a: number, b: number, c: number, n: number, stride: number, triangles: number, panel: number): void
  cholesky(a: number, n: number, stride: number): number
  invertLower(l: number, inverse: number, n: number, stride: number): void
  beginEigen(a: number, n: number, stride: number, vectors: number, values: number, work: number): void
  nextRotations(n: number, values: number, work: number, rotations: number, capacity: number): number
}

/** From this order on the pool's threads share the work on eigenvectors; below, calling them takes longer. */
const POOLED = 256
/** Rotations of QL that are applied together; at least one step's. */
const ROTATIONS = 1 << 17

export interface DenseKernelOptions {
  kernel?: KernelName
  /** Shares the work on the eigenvectors of large matrices. */
  pool?: WorkerPool
  signal?: AbortSignal
}

/** Makes the algebra for matrices of order k. */
export function openDenseKernel(k: number, { kernel, pool, signal }: DenseKernelOptions = {}): DenseKernel {
  const stride = Math.ceil(k / 4) * 4
  const square = stride * stride * 8
  const [a, b, c] = [65_536, 65_536 + square, 65_536 + 2 * square]
  const values = c + square
  const work = values + stride * 8
  const rotations = work + 5 * stride * 8
  const capacity = Math.max(ROTATIONS, k)
  const pages = Math.ceil((rotations + capacity * 24) / 65_536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const module = compileKernel(denseBytes, kernel)
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports
  const f64 = new Float64Array(memory.buffer)

  const load = (matrix: Float64Array, at: number): void => {
    f64.fill(0, at / 8, at / 8 + stride * stride)
    for (let i = 0; i < k; i++) f64.set(matrix.subarray(i * k, (i + 1) * k), at / 8 + i * stride)
  }
  const read = (at: number): Float64Array => {
    const matrix = new Float64Array(k * k)
    for (let i = 0; i < k; i++) {
      const row = at / 8 + i * stride
      matrix.set(f64.subarray(row, row + k), i * k)
    }
    return matrix
  }
  return {
    product(left, right, known = {}) {
      load(left, a)
      load(right, b)
      // See assembly/dense.ts.
      const bits = { lower: 1, upper: 2 }
      const triangles = (known.a ? bits[known.a] : 0) + 4 * (known.b ? bits[known.b] : 0)
      exports.product(a, b, c, k, stride, triangles, rotations)
      return read(c)
    },
    cholesky(matrix, triangle) {
      load(turned(matrix, triangle), a)
      return exports.cholesky(a, k, stride) < 0 ? turned(read(a), triangle) : undefined
    },
    invert(matrix, triangle) {
      load(turned(matrix, triangle), a)
      exports.invertLower(a, b, k, stride)
      return turned(read(b), triangle)
    },
    async eigen(matrix) {
      load(matrix, a)
      exports.beginEigen(a, k, stride, b, values, work)
      let [from, to] = [b, c]
      const apply = async (count: number): Promise<void> => {
        const vectors: EigenSlices = { k, stride, from, to, reflections: a, work, rotations, count }
        const slices = Math.ceil(stride / SLICE)
        if (pool && k >= POOLED)
          await runShards<typeof eigenShards>(pool, 'eigenShards', slices, { ...vectors, module, memory }, { signal })
        else for (let slice = 0; slice < slices; slice++) applySlice(exports, vectors, slice)
        ;[from, to] = [to, from]
      }
      for (;;) {
        const count = exports.nextRotations(k, values, work, rotations, capacity)
        if (count < 0) {
          throw new Error(`The eigenvalues of a Gram matrix of order ${k} did not converge: are the factors finite?`)
        }
        if (count === 0) break
        await apply(count)
      }
      await apply(0)
      return { values: f64.slice(values / 8, values / 8 + k), vectors: read(from) }
    },
  }
}

/** Turned by 180°, an upper triangle is a lower one, and a product of turned matrices the turned product. */
function turned(matrix: Float64Array, triangle: Triangle): Float64Array {
  if (triangle === 'lower') return matrix
  const out = new Float64Array(matrix.length)
  for (let at = 0, from = matrix.length - 1; from >= 0; at++, from--) out[at] = matrix[from]
  return out
}
