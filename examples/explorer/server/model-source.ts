import { type RankOptions, Recommender } from '@seesaw/als-core'
import { readCatalogue } from '../../pipeline/catalogue-file.ts'
import { Catalogue } from './catalogue.ts'
import { metrics } from './metrics.ts'
import { modelSample } from './model-sample.ts'
import type { Question, Source } from './source.ts'

/** Answers from a saved model in this process: exact, over all items. */
export async function openModel(directory: string, threads: number): Promise<Source> {
  const recommender = await Recommender.open(directory, { threads })
  try {
    const { model } = recommender
    const counts = model.interactionCounts ?? new Uint32Array(model.items)
    const ids = model.itemIds ?? Uint32Array.from({ length: model.items }, (_, row) => row)
    const catalogue = await Catalogue.read({ ids, counts, payloads: readCatalogue(directory) })
    return await fromRecommender(recommender, catalogue, directory)
  } catch (error) {
    await recommender.close()
    throw error
  }
}

/** The same over a recommender that is there already. The indexes of all positions of the dial are built here. */
export async function fromRecommender(
  recommender: Recommender,
  catalogue: Catalogue,
  directory: string,
): Promise<Source> {
  for (const options of Object.values(metrics)) await recommender.blend({ positive: [0] }, { ...options, limit: 1 })
  const { model } = recommender
  const artists = firstArtists(catalogue)
  return {
    name: `the model in ${directory}`,
    catalogue,
    dials: ['likeness', 'between', 'taste'],
    async neighbours(question, signal) {
      const { positive, negative, dial, limit } = question
      const options: RankOptions = { limit, signal, ...filters(question) }
      return [...(await recommender.blend({ positive, negative }, { ...metrics[dial], ...options }))]
    },
    async explain({ positive, negative, dial }, row) {
      const { contributions } = await recommender.explainBlend({ positive, negative }, row, metrics[dial])
      return contributions.map(({ row, contribution }) => ({ row, share: contribution }))
    },
    async vectors(rows) {
      const { factors: k, itemFactors } = model
      const data = new Float32Array(rows.length * k)
      for (const [n, row] of rows.entries()) data.set(itemFactors.subarray(row * k, (row + 1) * k), n * k)
      return { data, dimension: k }
    },
    samples: (question) => [{ title: 'TypeScript', text: modelSample(question, catalogue, directory) }],
    close: () => recommender.close(),
  }

  function filters({ filter, onePerArtist }: Question): RankOptions {
    const { min, max } = filter.interactions
    const passing = catalogue.passing(filter)
    return {
      ...((min !== undefined || max !== undefined) && { interactionCount: filter.interactions }),
      ...(passing && { where: (row: number) => passing[row] === 1 }),
      ...(onePerArtist && { perGroup: { groups: artists, max: 1 } }),
    }
  }
}

/** A number for the first artist of each row; a row without one is alone. */
function firstArtists({ artists, length }: Catalogue): Int32Array {
  return Int32Array.from({ length }, (_, row) => artists.codes(row)[0] ?? -1 - row)
}
