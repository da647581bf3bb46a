import { type AlsModel, createWorkerPool, type TasteSpace, tasteSpace, type WorkerPool } from '@seesaw/als-core'
import type { NamedVectors, VectorShape } from '@seesaw/qdrant-sink'
import type { Configuration } from '../configuration/schema.ts'

/** Names of the vectors of a point; docs/serving.md says which is for which question. */
export const vectorNames = {
  /** Item factors, by cosine: more like this. */
  similar: 'similar',
  /** The taste space, by inner product: for somebody who has these. */
  taste: 'taste',
  /** Taste vectors times the weight of an item, as examples, where `weighsItems`. */
  example: 'taste_example',
} as const

/** The vector that a question asks: likeness for one item, taste for several, of those that are published. */
export function vectorToAsk({ qdrant }: Pick<Configuration, 'qdrant'>, examples: number): 'similar' | 'taste' {
  if (qdrant.vectors !== 'both') return qdrant.vectors
  return examples > 1 ? vectorNames.taste : vectorNames.similar
}

/**
 * Whether items have weights of their own, which examples of them are multiplied by. What TUNE will find is not known when the
 * index is checked, and it must not change its shape from night to night: without weights they are 1.
 */
export function weighsItems({
  training,
  tune,
  recommend,
}: Pick<Configuration, 'training'> & Partial<Configuration>): boolean {
  return training.popularityExponent > 0 || tune === true || recommend === true
}

type Shapes = { named: Record<string, VectorShape> }

/** What VECTORS, PUBLISH_USERS and POPULARITY_EXPONENT make of a point and of a user. */
export function servedShapes(configuration: Pick<Configuration, 'qdrant' | 'training'> & Partial<Configuration>): {
  items: Shapes
  users?: Shapes
} {
  const { qdrant, training } = configuration
  const dimension = training.factors
  const taste: VectorShape = { dimension, distance: 'Dot' }
  // It is read as an example and never searched, so it needs no graph and no memory.
  const example: VectorShape = { ...taste, parameters: { hnsw_config: { m: 0 }, on_disk: true } }
  const named: Record<string, VectorShape> = {
    ...(qdrant.vectors !== 'taste' && { [vectorNames.similar]: { dimension, distance: 'Cosine' as const } }),
    ...(qdrant.vectors !== 'similar' && { [vectorNames.taste]: taste }),
    ...(qdrant.vectors !== 'similar' && weighsItems(configuration) && { [vectorNames.example]: example }),
  }
  return { items: { named }, ...(qdrant.users && { users: { named: { [vectorNames.taste]: taste } } }) }
}

/** The vectors of a model, 4·factors bytes per item for each beside the model's own, and the same per user. */
export async function makeServedVectors(
  configuration: Pick<Configuration, 'qdrant' | 'training' | 'threads'> & Partial<Configuration>,
  model: AlsModel,
  signal: AbortSignal,
): Promise<{ items: NamedVectors; users?: NamedVectors }> {
  const { items, users } = servedShapes(configuration)
  const pool = createWorkerPool({ threads: configuration.threads })
  try {
    const space = vectorNames.taste in items.named ? await tasteSpace(model, { pool, signal }) : undefined
    const taste = await space?.itemVectors(model.itemFactors, { pool, signal })
    const data: Record<string, () => Float32Array> = {
      [vectorNames.similar]: () => model.itemFactors,
      [vectorNames.taste]: () => taste!,
      [vectorNames.example]: () =>
        taste!.map((value, i) => value * (model.itemWeights?.[Math.floor(i / model.factors)] ?? 1)),
    }
    const named = Object.fromEntries(
      Object.entries(items.named).map(([name, shape]) => [name, { ...shape, data: data[name]!() }]),
    )
    const published = { ids: model.itemIds ?? rowNumbers(model.items), named }
    if (!users) return { items: published }
    return { items: published, users: await serveUsers(model, space!, { pool, signal }) }
  } finally {
    await pool.close()
  }
}

/** The users' vectors in a taste space, with PUBLISH_USERS. */
export async function serveUsers(
  model: AlsModel,
  space: TasteSpace,
  options: { pool: WorkerPool; signal: AbortSignal },
): Promise<NamedVectors> {
  const data = await space.userVectors(model.userFactors, options)
  const taste: VectorShape = { dimension: model.factors, distance: 'Dot' }
  return { ids: model.userIds ?? rowNumbers(model.users), named: { [vectorNames.taste]: { ...taste, data } } }
}

/** Ids of a side that has none. */
function rowNumbers(rows: number): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row)
}
