/**
 * What `tune` and `recommendedOptions` are worth beside the best settings known: Recall@20 on four real data sets.
 *
 *   npm run bench -- tune [--data gowalla] [--factors 64] [--threads 2] [--fresh] [--quick]
 *     --quick: the two small sets; what is measured is kept, and --fresh measures anew
 *   npm run bench -- tune --part search [--data gowalla] [--factors 64] [--wide 60] [--near 40] [--tested 10]
 *     the wide search that the best known settings come from; it goes on where it was cut off
 *
 * `tune` and `recommendedOptions` see what is known alone. The best known settings are those of many that did best on the
 * test part itself, so that they are a little better than anybody could have chosen (benchmarks/tune/best-known.ts).
 */
import { parseArgs } from 'node:util'
import { createWorkerPool, type WorkerPool } from '@seesaw/als-core'
import { printTable } from '../solver/table.ts'
import { compareSettings, type SettingsResult } from '../tune/compare-settings.ts'
import { type DataSet, dataSets, readKnownAndTest } from '../tune/data-sets.ts'
import { bestOf, searchWidely, type Trial, top } from '../tune/wide-search.ts'

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      part: { type: 'string', default: 'compare' },
      data: { type: 'string' },
      factors: { type: 'string', default: '64' },
      threads: { type: 'string', default: '2' },
      quick: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      wide: { type: 'string', default: '60' },
      near: { type: 'string', default: '40' },
      tested: { type: 'string', default: '10' },
    },
  })
  const small = dataSets.slice(0, 2)
  const some = dataSets.filter((name) => (values.data ? values.data === name : !values.quick || small.includes(name)))
  const factors = Number(values.factors)
  const pool = createWorkerPool({ threads: Number(values.threads) })
  try {
    if (values.part === 'search') {
      const counts = { wide: Number(values.wide), near: Number(values.near), tested: Number(values.tested) }
      for (const data of some) await search(data, { factors, ...counts }, pool)
      return { part: 'search' }
    }
    const results: SettingsResult[] = []
    for (const data of some) {
      const parts = await readKnownAndTest(data)
      if (parts) results.push(...(await compareSettings(data, parts, factors, values.fresh, pool)))
    }
    printResults(results)
    const worst = (settings: SettingsResult['settings']) =>
      Number(Math.min(...results.filter((each) => each.settings === settings).map(({ share }) => share)).toFixed(4))
    const baselines = results.filter(({ settings }) => settings === 'item kNN' || settings === 'most popular')
    return {
      factors,
      worstShareTuned: worst('tune'),
      worstShareRecommended: worst('recommendedOptions'),
      bestShareOfBaselines: Math.max(...baselines.map(({ share }) => Number(share.toFixed(4)))),
      mostTrainings: Math.max(...results.map(({ trainings = 0 }) => Number(trainings.toFixed(1)))),
    }
  } finally {
    await pool.close()
  }
}

function printResults(results: SettingsResult[]): void {
  printTable<SettingsResult>(
    [
      ['data', ({ data }) => data],
      ['settings', ({ settings }) => settings],
      ['Recall@20', ({ recall }) => recall.toFixed(4)],
      ['NDCG@20', ({ ndcg }) => ndcg.toFixed(4)],
      ['of the best known', ({ share }) => `${(100 * share).toFixed(1)} %`],
      ['cost in trainings', ({ trainings }) => trainings?.toFixed(1) ?? ''],
    ],
    results,
  )
}

async function search(
  data: DataSet,
  counts: { factors: number; wide: number; near: number; tested: number },
  pool: WorkerPool,
): Promise<void> {
  const parts = await readKnownAndTest(data)
  if (!parts) return
  const trials = await searchWidely(data, parts, counts, pool)
  console.log(`${data}: ${trials.length} settings, the best by validation\n`)
  printTable<Trial>(
    [
      ['settings', ({ point }) => JSON.stringify(point)],
      ['validation', ({ validation }) => top(validation).toFixed(4)],
      ['test', ({ test }) => (test ? top(test).toFixed(4) : '')],
    ],
    bestOf(trials).slice(0, 15),
  )
}
