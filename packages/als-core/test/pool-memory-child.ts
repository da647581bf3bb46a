/** Trains again and again on one pool, and prints the resident memory after each training, in MB. */
import { createWorkerPool, train } from '../src/index.ts'
import { makeMatrix } from './reference.ts'

const matrix = makeMatrix(
  Array.from({ length: 20_000 }, () => 2),
  10_000,
)
const pool = createWorkerPool({ threads: 2 })
for (let training = 0; training < 10; training++) {
  await train(matrix, { factors: 256, iterations: 1, tolerance: 0.3, pool })
  console.log(process.memoryUsage.rss() / 1e6)
}
await pool.close()
