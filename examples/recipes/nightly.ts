/**
 * The nightly retrain, by hand: starts from the model of the night before, resumes a run that was killed, and puts the new
 * model in place in one step.
 *
 *     node examples/recipes/nightly.ts 's3://shop/haves/' model/
 *
 * `examples/train.ts` does this and more; this is what it does at its core.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { loadModel, saveModel, train } from '@seesaw/als-core'
import { loadInteractions } from '@seesaw/loader'

const [uri, folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('Name the Parquet and the folder of the model: node examples/recipes/nightly.ts haves/ model/')
  process.exit(2)
}
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())

const { matrix, userIds, itemIds } = await loadInteractions({
  sources: [{ name: 'haves', uri }],
  thresholds: { user: 5, item: 5 },
  signal: stop.signal,
})
// None on the first night.
const yesterday = existsSync(join(folder, 'manifest.json')) ? await loadModel(folder) : undefined
const model = await train(matrix, {
  factors: 64,
  // From yesterday's factors a third of the iterations reaches the same loss.
  iterations: yesterday ? 5 : 15,
  initial: yesterday,
  userIds,
  itemIds,
  checkpoint: { directory: `${folder}-checkpoint`, onMismatch: 'restart' },
  signal: stop.signal,
  onIteration: ({ iteration, loss }) => console.log(`iteration ${iteration}: loss ${loss.toPrecision(7)}`),
})
await saveModel(model, folder, { interactions: matrix })
// A finished night is over: its checkpoint must not be resumed by the next.
await rm(`${folder}-checkpoint`, { recursive: true })
console.log(`${yesterday ? 'Retrained' : 'Trained'}: ${model.users} users, ${model.items} items, in ${folder}`)
