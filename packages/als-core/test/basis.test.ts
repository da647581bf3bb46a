import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identity, transposed } from '../src/linear-algebra/dense.ts'
import { openDenseKernel } from '../src/linear-algebra/dense-kernel.ts'
import { createWorkerPool, type WorkerPool } from '../src/pool/worker-pool.ts'
import { type Basis, changeBasis } from '../src/solve/basis.ts'

const unobservedWeight = 0.7
const lambda = 0.3

describe.each([1, 5, 8, 31, 64])('the whitened basis with %d factors', (k) => {
  const dense = openDenseKernel(k)
  const grams = { users: randomGram(k, 1), items: randomGram(k, 2) }

  test('whitens the system, gives the same scores, and is triangular from half-sweep to half-sweep', async () => {
    const bases = await alternate(4)
    for (const [sweep, { transform, toFactors, triangle, fixed, gram }] of bases.entries()) {
      const system = gram.map((value, at) => unobservedWeight * value + (at % (k + 1) === 0 ? lambda : 0))
      expectClose(multiply(multiply(toFactors, system, k), transposed(toFactors, k), k), identity(k))
      // (F̂·W)·x̂ = F·x with F = F̂·P_F and x = x̂·P.
      expectClose(transform, multiply(fixed ?? identity(k), transposed(toFactors, k), k))
      // A 1×1 matrix is both.
      if (k > 1) expect(triangle).toBe(sweep % 2 === 0 ? 'lower' : 'upper')
      expect(zeros(transform, sweep % 2 === 0 ? 'above' : 'below')).toBe((k * (k - 1)) / 2)
      expect(zeros(toFactors, sweep % 2 === 0 ? 'below' : 'above')).toBe((k * (k - 1)) / 2)
    }
  })

  test('stays when the Gram matrices stay, so that rows start where they are', async () => {
    const [first, second, third, fourth] = await alternate(4)
    expect(third.restart).toBeUndefined()
    expect(fourth.restart).toBeUndefined()
    expectClose(third.toFactors, first.toFactors)
    expectClose(fourth.toFactors, second.toFactors)
  })

  test('brings rows of another basis over', async () => {
    const solved = Float64Array.from(randomGram(k, 3))
    const { restart, toFactors } = await changeBasis(dense, {
      gram: grams.items,
      k,
      solvedToFactors: solved,
      unobservedWeight,
      lambda,
    })
    if (k === 1) return expect(restart).toBeUndefined()
    expectClose(multiply(restart!, toFactors, k), solved)
  })

  test('knows the squared norm of the fixed side', async () => {
    for (const { squaredNorm, gram } of await alternate(3)) {
      let trace = 0
      for (let i = 0; i < k; i++) trace += gram[i * k + i]
      expect(squaredNorm / trace).toBeCloseTo(1, 10)
    }
  })

  /** Half-sweeps with the same two sides; what each changes basis from, and the fixed side's Gram matrix as users see it. */
  async function alternate(sweeps: number): Promise<(Basis & { fixed?: Float64Array; gram: Float64Array })[]> {
    const toFactors: Record<string, Float64Array | undefined> = {}
    const bases: (Basis & { fixed?: Float64Array; gram: Float64Array })[] = []
    for (let sweep = 0; sweep < sweeps; sweep++) {
      const [solved, fixedSide] = sweep % 2 === 0 ? (['users', 'items'] as const) : (['items', 'users'] as const)
      const fixed = toFactors[fixedSide]
      const gram = grams[fixedSide]
      const basis = await changeBasis(dense, {
        gram: fixed ? inBasis(gram, fixed) : gram,
        k,
        fixedToFactors: fixed,
        solvedToFactors: toFactors[solved],
        unobservedWeight,
        lambda,
      })
      toFactors[solved] = basis.toFactors
      bases.push({ ...basis, fixed, gram })
    }
    return bases
  }

  /** F̂ᵀF̂ = P⁻ᵀ·G·P⁻¹ of F = F̂·P. */
  function inBasis(gram: Float64Array, p: Float64Array): Float64Array {
    const inverse = dense.invert(p, zeros(p, 'below') === (k * (k - 1)) / 2 ? 'upper' : 'lower')
    expectClose(multiply(inverse, p, k), identity(k))
    return multiply(multiply(transposed(inverse, k), gram, k), inverse, k)
  }

  function zeros(matrix: Float64Array, where: 'above' | 'below'): number {
    return matrix.filter((value, at) => {
      const [i, j] = [Math.floor(at / k), at % k]
      return value === 0 && (where === 'above' ? j > i : j < i)
    }).length
  }
})

describe.each([1, 5, 8, 31])('the spectral basis with %d factors', (k) => {
  const dense = openDenseKernel(k)
  const grams = [randomGram(k, 5), randomGram(k, 6)]

  test('makes the system and the ridge diagonal, gives the same scores, and brings rows over', async () => {
    const bases: Basis[] = []
    for (let sweep = 0; sweep < 4; sweep++) {
      const [gram, fixed, solved] = [grams[sweep % 2], bases[sweep - 1]?.toFactors, bases[sweep - 2]?.toFactors]
      // Rows of P are orthogonal: P⁻¹ is Pᵀ with its columns over their squared lengths.
      const inverse =
        fixed && transposed(fixed, k).map((value, at) => value / bases[sweep - 1].diagonal!.lambda[at % k])
      const basis = await changeBasis(dense, {
        gram: inverse ? multiply(multiply(transposed(inverse, k), gram, k), inverse, k) : gram,
        k,
        fixedToFactors: fixed,
        solvedToFactors: solved,
        unobservedWeight,
      })
      const { transform, toFactors, restart, diagonal } = basis
      const turned = transposed(toFactors, k)
      expectClose(
        multiply(multiply(toFactors, gram, k), turned, k).map((value) => unobservedWeight * value),
        diagonalOf(diagonal!.observed),
      )
      expectClose(multiply(toFactors, turned, k), diagonalOf(diagonal!.lambda))
      expectClose(transform, multiply(fixed ?? identity(k), turned, k))
      expectClose(multiply(restart!, toFactors, k), solved ?? identity(k))
      bases.push(basis)
    }
  })
})

describe.each([256, 301])('eigenvectors of order %d', (k) => {
  const gram = randomGram(k, 4)
  const alone = openDenseKernel(k).eigen(gram)
  let pool: WorkerPool
  beforeAll(() => {
    pool = createWorkerPool({ threads: 3 })
  })
  afterAll(() => pool.close())

  test('diagonalize', async () => {
    const { values, vectors } = await alone
    let worst = 0
    for (let i = 0; i < k; i++) {
      const q = vectors.subarray(i * k, (i + 1) * k)
      for (let r = 0; r < k; r++) {
        let product = 0
        for (let j = 0; j < k; j++) product += gram[r * k + j] * q[j]
        worst = Math.max(worst, Math.abs(product - values[i] * q[r]))
      }
    }
    expect(worst).toBeLessThan(1e-10 * k)
  })

  test('are the same on the threads of a pool, to the bit', async () => {
    expect(await openDenseKernel(k, { pool }).eigen(gram)).toEqual(await alone)
  })

  test('are the same when threads die over them', async () => {
    let runs = 0
    const run: WorkerPool['run'] = (task, message) => {
      const running = pool.run<never>(task, message)
      if (runs++ % 6 === 0) void pool.piscina.threads[0].terminate()
      return running
    }
    expect(await openDenseKernel(k, { pool: { ...pool, run } }).eigen(gram)).toEqual(await alone)
    expect(runs).toBeGreaterThan(3)
  })
})

function multiply(a: Float64Array, b: Float64Array, k: number): Float64Array {
  const product = new Float64Array(k * k)
  for (let i = 0; i < k; i++) {
    for (let t = 0; t < k; t++) for (let j = 0; j < k; j++) product[i * k + j] += a[i * k + t] * b[t * k + j]
  }
  return product
}

function diagonalOf(values: Float64Array): Float64Array {
  const k = values.length
  return Float64Array.from({ length: k * k }, (_, at) => (at % (k + 1) === 0 ? values[at / (k + 1)] : 0))
}

/** AᵀA + I of a matrix of pseudorandom numbers. */
function randomGram(k: number, seed: number): Float64Array {
  let state = seed
  const a = Float64Array.from({ length: k * k }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  })
  const gram = identity(k)
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) for (let t = 0; t < k; t++) gram[i * k + j] += a[t * k + i] * a[t * k + j]
  }
  return gram
}

function expectClose(actual: Float64Array, expected: Float64Array): void {
  expect(actual.length).toBe(expected.length)
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const worst = actual.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at])), 0)
  expect(worst).toBeLessThan(1e-9 * scale)
}
