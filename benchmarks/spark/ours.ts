/** Child process: our training on merged entries, so that its memory and processor time are its own. Prints one line of JSON. */
import { computeLoss, saveModel, train } from '@seesaw/als-core'
import { loadInteractions } from '@seesaw/loader'
import { cpuSeconds, peakRssMb } from '../process-cost.ts'
import type { Setting } from './setting.ts'

const { entries, model: directory, threads, ...options }: Setting = JSON.parse(process.argv[2])
const { matrix, userIds, itemIds } = await loadInteractions({
  sources: [
    { name: 'known', uri: entries, user: 'user', item: 'item', confidence: { column: 'value', weight: 'linear' } },
  ],
  thresholds: { user: 1, item: 1 },
  threads,
})
const before = cpuSeconds()
const begun = performance.now()
const model = await train(matrix, { ...options, threads, userIds, itemIds })
const seconds = (performance.now() - begun) / 1000
const cpu = cpuSeconds() - before
const losses = model.history.map(({ loss }) => loss)
await saveModel(model, directory)
console.log(
  JSON.stringify({
    seconds,
    cpuSeconds: cpu,
    peakRssMb: peakRssMb(),
    losses,
    loss: computeLoss(model, matrix, model.options),
  }),
)
