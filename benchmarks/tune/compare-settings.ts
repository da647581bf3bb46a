/** One data set trained with the settings of each way to choose them, all measured on the same test part. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import {
  type AlsModel,
  evaluate,
  itemNeighbours,
  mostPopular,
  type RecommendationSource,
  recommendedOptions,
  type TrainOptions,
  train,
  tune,
  tuneTable,
  type WorkerPool,
} from '@seesaw/als-core'
import { cpuSeconds } from '../process-cost.ts'
import type { TrainAndTest } from '../quality/data-sets.ts'
import { bestKnown } from './best-known.ts'
import type { DataSet } from './data-sets.ts'
import { toOptions } from './wide-search.ts'

type Settings = 'best known' | 'tune' | 'recommendedOptions' | 'defaults of train' | 'item kNN' | 'most popular'

export interface SettingsResult extends Measured {
  data: DataSet
  settings: Settings
  /** Of the best known Recall@20. */
  share: number
}

interface Measured {
  recall: number
  ndcg: number
  /** Processor time of `tune` in that of one training, with the options it found, on all that is known. */
  trainings?: number
}

/** What was measured is kept, under all that decides it; `fresh` measures anew. */
export async function compareSettings(
  data: DataSet,
  parts: TrainAndTest,
  factors: number,
  fresh: boolean,
  pool: WorkerPool,
): Promise<SettingsResult[]> {
  const { train: known } = parts
  const results: SettingsResult[] = []
  const add = async (settings: Settings, options: TrainOptions, measure: () => Promise<Measured>) => {
    const measured = await keptOr({ data, factors, settings, options }, fresh, measure)
    const share = measured.recall / Math.max(bestKnown[data].recall20, results[0]?.recall ?? 0)
    results.push({ data, settings, ...measured, share })
  }
  const evaluated = async (source: AlsModel | RecommendationSource): Promise<Measured> => {
    const { at } = await evaluate(source, { ...parts, k: 20, pool })
    return { recall: at[20].recall, ndcg: at[20].ndcg }
  }
  const trained = (options: TrainOptions) => async () => evaluated(await train(known, { ...options, pool }))
  const best = toOptions(bestKnown[data].point, known, factors)
  const { options: recommended } = recommendedOptions(known, { factors })
  await add('best known', best, trained(best))
  await add('recommendedOptions', recommended, trained(recommended))
  // What it searches around stands for what it is.
  await add('tune', recommended, async () => {
    let started = cpuSeconds()
    const found = await tune(known, { base: { factors }, pool })
    const spent = cpuSeconds() - started
    console.log(`${data}: ${JSON.stringify(found.options)}\n\n${tuneTable(found)}\n`)
    started = cpuSeconds()
    const model = await train(known, { ...found.options, pool })
    const trainings = spent / (cpuSeconds() - started)
    return { ...(await evaluated(model)), trainings }
  })
  await add('defaults of train', {}, trained({ factors }))
  await add('item kNN', {}, () => evaluated(itemNeighbours(known)))
  await add('most popular', {}, () => evaluated(mostPopular(known)))
  return results
}

const folder = new URL('../.cache/', import.meta.url)
const file = new URL('tune-results.jsonl', folder)

async function keptOr(key: object, fresh: boolean, measure: () => Promise<Measured>): Promise<Measured> {
  const plain = JSON.parse(JSON.stringify(key))
  const lines = !fresh && existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
  const kept = lines.map((line) => JSON.parse(line)).findLast((line) => isDeepStrictEqual(line.key, plain))
  if (kept) return kept.measured
  const measured = await measure()
  console.error(JSON.stringify({ ...plain, ...measured }))
  mkdirSync(folder, { recursive: true })
  appendFileSync(file, `${JSON.stringify({ key, measured })}\n`)
  return measured
}
