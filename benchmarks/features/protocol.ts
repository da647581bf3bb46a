/** A fifth of the described items of five interactions and more is held out whole, a tenth of the other entries too. */
import {
  type AlsModel,
  type ColdItemsSplit,
  contentNeighbours,
  evaluateItemGroups,
  foldInItems,
  mostPopular,
  type RecommendationSource,
  randomItems,
  splitColdItems,
  type TrainOptions,
  train,
  type WorkerPool,
} from '@seesaw/als-core'
import type { DataSet } from './data-sets.ts'
import { trainIrspack } from './irspack.ts'

/** Of all models here. */
export const setting = {
  objective: 'ials',
  factors: 64,
  unobservedWeight: 0.1,
  regularization: 0.01,
  regularizationScaling: { nu: 1 },
  iterations: 10,
} as const satisfies TrainOptions

/** Recall@20 of one way to recommend: of warm and new items among themselves, and of all items. */
export interface Recalls {
  readonly name: string
  readonly warm: number
  readonly new: number
  readonly all: number
  /** Share of the catalogue that is in somebody's list. */
  readonly coverage: number
}

export const names = {
  features: 'with features',
  plain: 'without',
  irspack: 'irspack with features',
  content: 'content kNN',
  popular: 'most popular',
  random: 'random',
} as const

export function splitFor({ matrix, features: { rows, indptr } }: DataSet, seed: number): ColdItemsSplit {
  const among = Array.from({ length: rows }, (_, row) => row).filter((row) => indptr[row + 1] > indptr[row])
  return splitColdItems(matrix, 0.2, { warm: 0.1, among, seed })
}

/** All of them on one split. */
export async function measureSplit(
  data: DataSet,
  seed: number,
  featureRegularization: number | undefined,
  { pool, threads, peers }: { pool: WorkerPool; threads: number; peers: boolean },
): Promise<Recalls[]> {
  const split = splitFor(data, seed)
  const measure = async (name: string, source: AlsModel | RecommendationSource): Promise<Recalls> => {
    const { known, test, groups } = split
    const lines = await evaluateItemGroups(source, { train: known, test, groups, pool })
    const of = (group: string) => lines.find((line) => line.name === group)!
    const all = of('all').amongAll
    return {
      name,
      warm: of('warm').amongThemselves.recall,
      new: of('new').amongThemselves.recall,
      all: all.recall,
      coverage: all.coverage,
    }
  }
  const plain = await train(split.train, { ...setting, seed, pool })
  const own = await train(split.train, {
    ...setting,
    ...(featureRegularization !== undefined && { featureRegularization }),
    itemFeatures: data.features,
    seed,
    pool,
  })
  const predicted = await foldInItems(own, split.rare, { features: data.features, pool })
  const recalls = [
    await measure(names.features, withItems(own, predicted, split)),
    await measure(names.plain, plain),
    await measure(names.content, contentNeighbours(split.known, data.features)),
    await measure(names.popular, mostPopular(split.known)),
    await measure(names.random, randomItems(split.known, { seed })),
  ]
  if (peers) {
    const { regularization } = own.itemFeatures!
    const theirs = await trainIrspack(split.train, data.features, {
      ...setting,
      featureRegularization: regularization,
      seed,
      threads,
    })
    const model = { ...own, userFactors: theirs.userFactors, itemFactors: theirs.itemFactors }
    recalls.splice(1, 0, await measure(names.irspack, withItems(model, theirs.predicted, split)))
  }
  return recalls
}

/** The model with the vectors of new items. */
function withItems(model: AlsModel, vectors: Float32Array, { groups: [, , fresh] }: ColdItemsSplit): AlsModel {
  const k = model.factors
  const itemFactors = new Float32Array(new SharedArrayBuffer(model.itemFactors.byteLength))
  itemFactors.set(model.itemFactors)
  for (let i = 0; i < fresh.items.length; i++) {
    const item = fresh.items[i]
    itemFactors.set(vectors.subarray(item * k, (item + 1) * k), item * k)
  }
  return { ...model, itemFactors }
}
