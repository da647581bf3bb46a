/** Sixteen changes of the model of a recommender that answers between them; prints the resident memory after each, in MB. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type AlsModel, Recommender, train } from '../src/index.ts'
import { makeMatrix } from './reference.ts'

const model = await train(makeMatrix([3, 2, 1], 60_000), { factors: 64, iterations: 1, threads: 2 })
const copy = (): AlsModel => {
  const itemFactors = new Float32Array(new SharedArrayBuffer(model.itemFactors.byteLength))
  itemFactors.set(model.itemFactors)
  return { ...model, itemFactors }
}
await using recommender = new Recommender(copy(), { threads: 2 })
for (let change = 0; change < 16; change++) {
  await recommender.recommend([0, 1, 2])
  await recommender.replace(copy())
  // The model before ends after its last call.
  await sleep(50)
  console.log(process.memoryUsage.rss() / 1e6)
}
