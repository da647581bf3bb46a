/**
 * From data to settings that suit them: tunes on a part of the interactions, trains with what was found, and says what it is
 * worth beside two baselines, on a part that the search has not seen.
 *
 *     node examples/recipes/tune-and-evaluate.ts haves/
 */
import {
  createWorkerPool,
  evaluate,
  itemNeighbours,
  mostPopular,
  splitRandomly,
  train,
  tune,
  tuneTable,
} from '@seesaw/als-core'
import { loadInteractions } from '@seesaw/loader'

const [uri, factors = '32'] = process.argv.slice(2)
if (uri === undefined) {
  console.error('Name the Parquet: node examples/recipes/tune-and-evaluate.ts haves/')
  process.exit(2)
}
const { matrix } = await loadInteractions({ sources: [{ name: 'haves', uri }], thresholds: { user: 5, item: 5 } })
const { train: known, test } = splitRandomly(matrix, 0.2, { seed: 1 })

const pool = createWorkerPool()
const result = await tune(known, { base: { factors: Number(factors) }, pool })
console.log(tuneTable(result))
console.log('Settings:', result.options)

const model = await train(known, { ...result.options, pool })
await pool.close()
for (const [name, source] of [
  ['tuned', model],
  ['item kNN', itemNeighbours(known)],
  ['most popular', mostPopular(known)],
] as const) {
  const { recall, ndcg } = (await evaluate(source, { train: known, test, k: [20] })).at[20]
  console.log(`${name.padEnd(13)} Recall@20 ${recall.toFixed(4)}  NDCG@20 ${ndcg.toFixed(4)}`)
}
