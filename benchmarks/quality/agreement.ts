/** Whether our factors and implicit's are the same model: same matrix, options and initial factors, exact solvers. */
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { computeLoss, type ModelOptions, Recommender, train } from '@seesaw/als-core'
import { cachedInteractions, readArray, readInteractions } from '../cached-interactions.ts'
import { runPeer } from '../peers/python.ts'
import { randomStream } from '../random-stream.ts'
import { printTable } from '../solver/table.ts'

export interface Agreement {
  solver: ModelOptions['solver']
  iterations: number
  /** Relative difference of the losses, ours less theirs. */
  lossDifference: number
  /** Share of the places of the top-20 lists of 1,000 users that hold an item of the other list. */
  overlap: number
}

export async function agreement(size: string, factors: number, threads: number): Promise<Agreement[]> {
  const prefix = await cachedInteractions(size)
  const matrix = readInteractions(prefix)
  const { users, items } = matrix
  const options = { factors, regularization: 0.01, alpha: 1 }
  const random = randomStream(1, 0)
  const start = Float32Array.from({ length: (users + items) * factors }, () => 0.01 * random())
  const initial = { userFactors: start.slice(0, users * factors), itemFactors: start.slice(users * factors) }
  const rows = Array.from({ length: 1000 }, (_, i) => Math.floor(((i + 0.5) * users) / 1000))
  const path = `${prefix}.agreement.f32`
  const after = [1, 15]
  writeFileSync(path, new Uint8Array(start.buffer))
  await runPeer(
    'implicit_agreement.py',
    [prefix, path, JSON.stringify({ ...options, threads, rows }), ...after.map(String)],
    threads,
  )
  const results: Agreement[] = []
  for (const iterations of after) {
    const written = `${path}.${iterations}`
    const words = readArray(written, Float32Array<SharedArrayBuffer>, statSync(written).size)
    const theirs = {
      factors,
      userFactors: words.subarray(0, users * factors),
      itemFactors: words.subarray(users * factors, (users + items) * factors),
    }
    const theirLists = new Int32Array(words.buffer, 4 * (users + items) * factors)
    rmSync(written)
    for (const solver of ['cholesky', 'cg'] as const) {
      const ours = await train(matrix, { ...options, iterations, solver, initial, threads })
      const [our, their] = [ours, theirs].map((model) => computeLoss(model, matrix, ours.options))
      await using recommender = new Recommender(ours, { interactions: matrix, threads })
      const lists = await recommender.recommend(rows, { limit: 20 })
      const common = rows.map((_, q) => {
        const others = new Set(theirLists.subarray(20 * q, 20 * q + 20))
        return lists.rows.subarray(20 * q, 20 * q + 20).filter((row) => others.has(row)).length
      })
      results.push({
        solver,
        iterations,
        lossDifference: our / their - 1,
        overlap: common.reduce((a, b) => a + b, 0) / (20 * rows.length),
      })
    }
  }
  rmSync(path)
  printTable<Agreement>(
    [
      ['our solver', ({ solver }) => solver],
      ['iterations', ({ iterations }) => String(iterations)],
      ['our loss / its Cholesky’s, less 1', ({ lossDifference }) => lossDifference.toExponential(1)],
      ['top-20 overlap', ({ overlap }) => `${(100 * overlap).toFixed(2)} %`],
    ],
    results,
  )
  return results
}
