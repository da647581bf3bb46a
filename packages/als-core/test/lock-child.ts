/** A process that trains with a checkpoint, waits after its second iteration until a file is there, and dies. */
import { existsSync } from 'node:fs'
import { train } from '../src/index.ts'
import { makeMatrix } from './reference.ts'

const [directory, file] = process.argv.slice(2)
const matrix = makeMatrix(
  Array.from({ length: 200 }, (_, user) => user % 40),
  300,
)
await train(matrix, {
  factors: 16,
  iterations: 4,
  threads: 1,
  checkpoint: { directory },
  onIteration: async ({ iteration }) => {
    if (iteration < 2) return
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5))
    process.kill(process.pid, 'SIGKILL')
  },
})
