/**
 * One training with very many features in a process of its own: `node scale-program.ts OPTIONS` prints a JSON object with the
 * processor time of an iteration with and without features, and the peak memory beside the plan.
 */
import { type AlsModel, type FeatureMatrix, planMemory, type TrainOptions, train } from '@seesaw/als-core'
import { generateInteractions, sizes } from '../generate-interactions.ts'
import { cpuSeconds, peakRssMb } from '../process-cost.ts'
import { randomStream } from '../random-stream.ts'

export interface ScaleOptions {
  size: keyof typeof sizes
  /** Feature columns, and entries of each item. */
  features: number
  perRow: number
  /** Of these, how many are drawn evenly from all columns (artists, labels); the others are among the first thousand (styles, countries). */
  rarePerRow: number
  factors: number
  threads: number
  iterations: number
}

export interface ScaleResult {
  /** Processor seconds of an iteration, all threads. */
  cpuWith: number
  cpuWithout: number
  /** Part of the wall-clock time of an iteration that fits the map. */
  partOfFit: number
  peakMb: number
  plannedMb: number
}

const options: ScaleOptions = JSON.parse(process.argv[2])
const { size, features, perRow, rarePerRow, factors, threads, iterations } = options
const matrix = await generateInteractions(sizes[size])
const itemFeatures = drawFeatures(matrix.items)
const shared: TrainOptions = {
  ...{ factors, threads, iterations, objective: 'ials', unobservedWeight: 0.1 },
  ...{ regularization: 0.01, regularizationScaling: { nu: 1 } },
}
const { history, cpu: cpuWith } = await measure({ ...shared, itemFeatures })
const peakMb = peakRssMb()
const { cpu: cpuWithout } = await measure(shared)
const plan = planMemory({
  ...{ users: matrix.users, items: matrix.items, entries: matrix.entries, factors, threads },
  itemFeatures: { features, entries: itemFeatures.indices.length },
})
let seconds = 0
let fit = 0
for (const report of history.slice(1)) {
  seconds += report.seconds
  fit += report.phases.features
}
const result: ScaleResult = { cpuWith, cpuWithout, partOfFit: fit / seconds, peakMb, plannedMb: plan.total / 1e6 }
console.log(JSON.stringify(result))

/** Processor seconds of an iteration after the first, which starts from nothing. */
async function measure(options: TrainOptions): Promise<{ cpu: number; history: AlsModel['history'] }> {
  const marks: number[] = []
  const { history } = await train(matrix, { ...options, onIteration: () => void marks.push(cpuSeconds()) })
  return { history, cpu: (marks[marks.length - 1] - marks[0]) / (marks.length - 1) }
}

/** Features as a catalogue has them, values as of rows of length 1. With all of them rare the gathers miss every cache. */
function drawFeatures(rows: number): FeatureMatrix {
  const indptr = new Float64Array(new SharedArrayBuffer(8 * (rows + 1)))
  const indices = new Uint32Array(new SharedArrayBuffer(4 * rows * perRow))
  const values = new Float32Array(new SharedArrayBuffer(4 * rows * perRow)).fill(1 / Math.sqrt(perRow))
  const random = randomStream(1, 0)
  for (let row = 0; row < rows; row++) {
    const drawn = new Set<number>()
    while (drawn.size < rarePerRow) drawn.add(Math.floor(features * random()))
    while (drawn.size < perRow) drawn.add(Math.floor(1000 * random() ** 2))
    indices.set(
      [...drawn].sort((a, b) => a - b),
      row * perRow,
    )
    indptr[row + 1] = (row + 1) * perRow
  }
  const names = { length: features, at: (feature: number) => `feature=${feature}` }
  return { rows, features, names, indptr, indices, values }
}
