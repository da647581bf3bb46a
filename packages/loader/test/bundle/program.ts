/** Loads a Parquet file and trains on it, with the worker files that are named; prints what came, or what was wrong. */
import { createWorkerPool, train } from '@seesaw/als-core'
import { loadInteractions } from '../../src/index.ts'

const [uri, loaderWorker, coreWorker] = process.argv.slice(2)

async function main(): Promise<void> {
  const { matrix } = await loadInteractions({
    sources: [{ name: 'haves', uri, confidence: 1 }],
    thresholds: { user: 1, item: 1 },
    threads: 1,
    ...(loaderWorker && { workerUrl: loaderWorker }),
  })
  const pool = createWorkerPool({ threads: 1, ...(coreWorker && { workerUrl: coreWorker }) })
  const model = await train(matrix, { factors: 4, iterations: 2, pool })
  await pool.close()
  console.log(`trained ${model.users} users, ${model.items} items`)
}

main().catch((error) => console.log(`${error.name}: ${error.message}`))
