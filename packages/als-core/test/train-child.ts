/** A process that trains on a pool of its own, says how that ended, and must then exit by itself. */
import { RowError, SingularError, TrainingAborted, train } from '../src/index.ts'
import { makeMatrix } from './reference.ts'

const matrix = makeMatrix(
  Array.from({ length: 400 }, (_, user) => user % 60),
  500,
)
const [how] = process.argv.slice(2)
const controller = new AbortController()
try {
  await train(matrix, {
    factors: 8,
    iterations: 2,
    threads: 3,
    signal: controller.signal,
    // A confidence that float32 cannot hold.
    alpha: how === 'throws' ? 1e38 : 1,
    onIteration: () => {
      if (how === 'aborts') controller.abort()
    },
  })
  console.log('returns')
} catch (error) {
  if (error instanceof RowError || error instanceof SingularError) console.log('throws')
  else if (error instanceof TrainingAborted) console.log('aborts')
  else throw error
}
