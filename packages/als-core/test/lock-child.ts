/** A process that trains with a checkpoint, waits after its second iteration until a file is there, and dies. */
import { existsSync } from 'node:fs'
import { train } from '../src/index.ts'
import { smallMatrix } from './training.ts'

const [directory, file] = process.argv.slice(2)
await train(smallMatrix, {
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
