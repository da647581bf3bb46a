import { createHash } from 'node:crypto'
import {
  type AlsModel,
  createWorkerPool,
  FeatureRows,
  foldInItems,
  type InteractionMatrix,
  itemVectors,
  matrixFromCsr,
  tasteSpace,
  type WorkerPool,
} from '@seesaw/als-core'
import type { LoadedInteractions } from '@seesaw/loader'
import type { NamedVectorBatch } from '@seesaw/qdrant-sink'
import type { Configuration } from '../configuration/schema.ts'
import type { ServedVectors } from './publish-model.ts'
import { servedShapes, serveUsers, vectorNames } from './served-vectors.ts'
import type { WholeCatalogue } from './whole-catalogue.ts'

/** Rare items that are folded in at a time. A call costs a change of basis of all user factors, so they are many. */
export const RARE_ITEMS = 1 << 16
/** Items of a batch. */
const BATCH_ITEMS = 2048

/** Factors of any items of a catalogue, the same space for all: trained, folded in, or predicted by features alone. */
export class CatalogueFactors {
  readonly #model: AlsModel
  readonly #catalogue: WholeCatalogue
  readonly #rare: LoadedInteractions['rare']
  readonly #pool: WorkerPool
  readonly #signal: AbortSignal
  /** Rare items [from, to) of the last fold-in. */
  #folded: { from: number; to: number; factors: Float32Array } = { from: 0, to: 0, factors: new Float32Array(0) }
  /** Row in the catalogue of each rare item, and one more; 0 for those that are not there. */
  #rareRows: Uint32Array | undefined

  constructor(
    model: AlsModel,
    catalogue: WholeCatalogue,
    { rare }: Pick<LoadedInteractions, 'rare'>,
    { pool, signal }: { pool: WorkerPool; signal: AbortSignal },
  ) {
    this.#model = model
    this.#catalogue = catalogue
    this.#rare = rare
    this.#pool = pool
    this.#signal = signal
  }

  /** Rows [from, to) of the catalogue: (to - from) × factors, row-major. */
  async rows(from: number, to: number): Promise<Float32Array> {
    const { factors: k, itemFactors, itemFeatures } = this.#model
    const catalogue = this.#catalogue
    const out = new Float32Array((to - from) * k)
    const predicted = new FeatureRows(itemFeatures!.vocabulary!, to - from)
    for (let row = from; row < to; row++) {
      if (catalogue.evidence(row) === 'new') predicted.set(row - from, catalogue.values(row))
    }
    for await (const vectors of itemVectors(this.#model, predicted.finish())) out.set(vectors)
    for (let row = from; row < to; row++) {
      const place = catalogue.place(row)
      const evidence = catalogue.evidence(row)
      if (evidence === 'trained') out.set(itemFactors.subarray(place * k, (place + 1) * k), (row - from) * k)
      if (evidence !== 'rare') continue
      if (place < this.#folded.from || place >= this.#folded.to) await this.#foldIn(place)
      const at = (place - this.#folded.from) * k
      out.set(this.#folded.factors.subarray(at, at + k), (row - from) * k)
    }
    return out
  }

  /** Folds in the rare items from `from` on, by what users did with them and by their features. */
  async #foldIn(from: number): Promise<void> {
    const { matrix } = this.#rare!
    const to = Math.min(matrix.items, from + RARE_ITEMS)
    const rows = new FeatureRows(this.#model.itemFeatures!.vocabulary!, to - from)
    this.#rareRows ??= rowsOfRare(this.#catalogue, matrix.items)
    for (let item = from; item < to; item++) {
      const row = this.#rareRows[item]!
      if (row > 0) rows.set(item - from, this.#catalogue.values(row - 1))
    }
    const factors = await foldInItems(this.#model, someItems(matrix, from, to), {
      features: rows.finish(),
      pool: this.#pool,
      signal: this.#signal,
    })
    this.#folded = { from, to, factors }
  }
}

function rowsOfRare(catalogue: WholeCatalogue, items: number): Uint32Array {
  const rows = new Uint32Array(items)
  for (let row = 0; row < catalogue.length; row++) {
    if (catalogue.evidence(row) === 'rare') rows[catalogue.place(row)] = row + 1
  }
  return rows
}

/** The columns [from, to) of a matrix as a matrix of their own. */
function someItems({ csc, codebook, users }: InteractionMatrix, from: number, to: number): InteractionMatrix {
  const [first, last] = [csc.indptr[from]!, csc.indptr[to]!]
  const indptr = new Float64Array(users + 1)
  for (let e = first; e < last; e++) indptr[csc.indices[e]! + 1]!++
  for (let user = 0; user < users; user++) indptr[user + 1]! += indptr[user]!
  const next = indptr.slice(0, users)
  const indices = new Uint32Array(last - first)
  const values = new Float32Array(last - first)
  for (let item = from; item < to; item++) {
    for (let e = csc.indptr[item]!; e < csc.indptr[item + 1]!; e++) {
      const at = next[csc.indices[e]!]!++
      indices[at] = item - from
      values[at] = codebook ? codebook[csc.values[e]!]! : csc.values[e]!
    }
  }
  return matrixFromCsr({ users, items: to - from, indptr, indices, values })
}

/** Every item of a catalogue as a stream, and with PUBLISH_USERS the users. */
export async function serveCatalogue(
  configuration: Pick<Configuration, 'qdrant' | 'training' | 'threads'> & Partial<Configuration>,
  model: AlsModel,
  catalogue: WholeCatalogue,
  loaded: Pick<LoadedInteractions, 'rare'>,
  signal: AbortSignal,
): Promise<ServedVectors> {
  const shapes = servedShapes(configuration)
  const pool = createWorkerPool({ threads: configuration.threads })
  try {
    const space = vectorNames.taste in shapes.items.named ? await tasteSpace(model, { pool, signal }) : undefined
    const factors = new CatalogueFactors(model, catalogue, loaded, { pool, signal })
    const names = Object.keys(shapes.items.named)
    const batch = async (from: number, to: number): Promise<NamedVectorBatch> => {
      const own = await factors.rows(from, to)
      const ids = Array.from({ length: to - from }, (_, n) => catalogue.id(from + n))
      const taste = await space?.itemVectors(own, { pool, signal })
      return { ids, named: nameVectors(names, own, taste, model, catalogue, from) }
    }
    return {
      items: {
        points: catalogue.length,
        named: shapes.items.named,
        fingerprint: fingerprintOf(model, catalogue, loaded),
        async *batches(start) {
          for (let from = start; from < catalogue.length; from += BATCH_ITEMS) {
            signal.throwIfAborted()
            yield await batch(from, Math.min(catalogue.length, from + BATCH_ITEMS))
          }
        },
      },
      ...(shapes.users && { users: await serveUsers(model, space!, { pool, signal }) }),
      close: () => pool.close(),
    }
  } catch (error) {
    await pool.close()
    throw error
  }
}

/** The vectors of a batch that begins with row `from`, by their names. */
function nameVectors(
  names: readonly string[],
  own: Float32Array,
  taste: Float32Array | undefined,
  model: AlsModel,
  catalogue: WholeCatalogue,
  from: number,
): Record<string, Float32Array> {
  const { factors: k, popularityWeights } = model
  const weightOf = (row: number): number => {
    const count = catalogue.count(row)
    if (catalogue.evidence(row) === 'trained') return model.itemWeights?.[catalogue.place(row)] ?? 1
    return count > 0 && popularityWeights ? (count * popularityWeights.scale) ** -popularityWeights.exponent : 1
  }
  const vectors: Record<string, () => Float32Array> = {
    [vectorNames.similar]: () => own,
    [vectorNames.taste]: () => taste!,
    [vectorNames.example]: () => taste!.map((value, i) => value * weightOf(from + Math.floor(i / k))),
  }
  return Object.fromEntries(names.map((name) => [name, vectors[name]!()]))
}

/** Changes with the model, the ids, and what is known of rare items. */
function fingerprintOf(model: AlsModel, catalogue: WholeCatalogue, { rare }: Pick<LoadedInteractions, 'rare'>): string {
  const hash = createHash('sha256')
  for (const array of [model.itemFactors, model.userFactors, model.itemFeatures!.vectors, rare?.matrix.csc.indices]) {
    if (!array) continue
    // Pieces, because a hash takes at most 2 GiB at once.
    for (let from = 0; from < array.length; from += 1 << 24) {
      const part = array.subarray(from, from + (1 << 24))
      hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
    }
  }
  for (let from = 0; from < catalogue.length; from += 1 << 16) {
    const rows = Math.min(1 << 16, catalogue.length - from)
    hash.update(
      Array.from({ length: rows }, (_, n) => `${catalogue.id(from + n)} ${catalogue.evidence(from + n)}`).join(),
    )
  }
  return hash.digest('hex')
}
