/** A process that dies between its third iteration and the checkpoint of it. */
import { train } from '../src/index.ts'
import { makeMatrix } from './reference.ts'

const matrix = makeMatrix(
  Array.from({ length: 200 }, (_, user) => user % 40),
  300,
)
await train(matrix, {
  factors: 16,
  iterations: 4,
  threads: 2,
  checkpoint: { directory: process.argv[2] },
  onIteration: ({ iteration }) => {
    if (iteration === 3) process.kill(process.pid, 'SIGKILL')
  },
})
