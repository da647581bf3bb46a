/** A process that dies between its third iteration and the checkpoint of it. */
import { train } from '../src/index.ts'
import { smallMatrix } from './training.ts'

await train(smallMatrix, {
  factors: 16,
  iterations: 4,
  threads: 2,
  checkpoint: { directory: process.argv[2] },
  onIteration: ({ iteration }) => {
    if (iteration === 3) process.kill(process.pid, 'SIGKILL')
  },
})
