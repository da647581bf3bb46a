import { OptionError } from '../checks/option-error.ts'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { checkFits } from '../model/check-fits.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { createWorkerPool, type WorkerPool } from '../pool/worker-pool.ts'
import { averageVectors, type Examples } from './average-vectors.ts'
import { CurrentModel, openModel } from './current-model.ts'
import { type Explanation, explain } from './explain.ts'
import { type BlendExplanation, explainBlend } from './explain-blend.ts'
import { foldInHistories, type History } from './fold-in-histories.ts'
import { KNOWN_NAMES, type KnownFeatures, knownRow } from './known-features.ts'
import {
  type BlendOptions,
  type FallbackOptions,
  METRIC_NAMES,
  type MetricOptions,
  type RankOptions,
  RECOMMENDER_NAMES,
  type RecommenderOptions,
  type RecommendOptions,
  type SimilarOptions,
} from './options.ts'
import { type RecommendAllOptions, type RecommendAllResult, recommendAll } from './recommend-all.ts'
import type { RecommendationBatch, Recommendations } from './recommendations.ts'
import type { ServedModel } from './served-model.ts'
import { isOne, type RowOrId, type RowsOrIds } from './side-rows.ts'

/**
 * Answers from a model in this process: exact lists over all items, computed by worker threads.
 *
 * Scores are inner products for users and cosines for similar rows, computed in float64 and rounded to float32; equal
 * scores are ordered by row number. The same lists come from any number of threads, any batch and either kernel. Calls
 * may overlap. The index (3·factors bytes per row, beside the model) is built on first use, or by `prepare`.
 */
export class Recommender {
  readonly #ownsPool: boolean
  readonly #pool: WorkerPool
  readonly #current: CurrentModel

  constructor(model: AlsModel, options: RecommenderOptions = {}) {
    refuseUnknownNames('Recommender', options, RECOMMENDER_NAMES)
    const { interactions = model.interactions, pool, threads, kernel } = options
    checkFits(model, interactions)
    this.#ownsPool = pool === undefined
    this.#pool = pool ?? createWorkerPool({ threads })
    this.#current = new CurrentModel(model, interactions, this.#pool, kernel)
  }

  /**
   * Opens a saved model: factors, ids with their index, and what users have where it was saved with them (`saveModel`'s
   * `interactions`), which is then left out of their recommendations. All of it is memory that the threads share.
   */
  static async open(directory: string, options: RecommenderOptions = {}): Promise<Recommender> {
    return new Recommender(await openModel(directory), options)
  }

  /** The model that answers; another one after `replace`. */
  get model(): AlsModel {
    return this.#current.served.model
  }

  /**
   * Answers from another model from some moment on, between two calls. It is opened, and what the one before has built is
   * built of it, while that one answers; calls that began with it end with it. Then it is freed: until then both are in
   * memory. Row numbers mean another user or item from that moment on, ids do not. When it fails, nothing has changed.
   *
   * @param model a directory, or a model
   * @returns when new calls are answered by it
   */
  replace(model: string | AlsModel, options: Pick<RecommenderOptions, 'interactions'> = {}): Promise<void> {
    refuseUnknownNames('replace', options, { interactions: true })
    return this.#current.replace(model, options.interactions)
  }

  /** Builds the indexes now instead of on first use: of items, and with `users` of users too (for `similarUsers`). */
  async prepare({ users = false }: { users?: boolean } = {}): Promise<void> {
    await this.#current.track((served) => Promise.all([served.itemRanker(), users && served.userRanker()]))
  }

  /** The best items for one user: a list. For several: a batch. What a user has is left out. */
  recommend(user: RowOrId, options?: RecommendOptions): Promise<Recommendations>
  recommend(users: RowsOrIds, options?: RecommendOptions): Promise<RecommendationBatch>
  recommend(
    users: RowOrId | RowsOrIds,
    options: RecommendOptions = {},
  ): Promise<Recommendations | RecommendationBatch> {
    return this.#answer(isOne(users), (served) => served.recommend(users, options))
  }

  /**
   * Streams the lists of all users to a Parquet file with the columns user, rank, item and score, in bounded memory.
   * A signal ends it between two runs of queries and leaves no file.
   */
  recommendAll(file: string, options: RecommendAllOptions = {}): Promise<RecommendAllResult> {
    return this.#current.track((served) =>
      recommendAll((users, some) => served.recommend(users, some), served.model, file, options),
    )
  }

  /** The best items for vectors that are no row of the model, such as those of `foldInUsers`; one vector per query. */
  recommendForVectors(
    vectors: Float32Array,
    options: RankOptions & FallbackOptions & { exclude?: InteractionMatrix } = {},
  ): Promise<RecommendationBatch> {
    return this.#current.track(async (served) => {
      const { factors, items } = served.model
      if (vectors.length === 0 || vectors.length % factors !== 0) {
        throw new OptionError(
          `vectors has ${vectors.length} values, expected a multiple of ${factors}, one vector per query.`,
        )
      }
      const { exclude } = options
      const queries = vectors.length / factors
      if (exclude && (exclude.users !== queries || exclude.items !== items)) {
        throw new OptionError(
          `exclude is ${exclude.users}×${exclude.items}, expected one row for each of ${queries} vectors and ${items} columns.`,
        )
      }
      return served.rank(await served.itemRanker(), options, {
        vectors: toShared(vectors),
        queries,
        metric: 'dot',
        excluded: exclude && { indptr: exclude.csr.indptr, indices: exclude.csr.indices },
      })
    })
  }

  /**
   * The best items for somebody who is not in the model, or has more than when it was trained, by what they have: folded in
   * exactly, on this thread, in float64. What they have is left out. One history: a list. Several: a batch.
   */
  recommendForHistory(history: History, options?: RankOptions & FallbackOptions): Promise<Recommendations>
  recommendForHistory(
    histories: readonly History[],
    options?: RankOptions & FallbackOptions,
  ): Promise<RecommendationBatch>
  recommendForHistory(
    histories: History | readonly History[],
    options: RankOptions & FallbackOptions = {},
  ): Promise<Recommendations | RecommendationBatch> {
    const batch = Array.isArray(histories) ? (histories as readonly History[]) : [histories as History]
    return this.#answer(!Array.isArray(histories), async (served) => {
      const { vectors, excluded } = foldInHistories(served.model, batch, served.items, await served.gram())
      const ranker = await served.itemRanker()
      return served.rank(ranker, options, { vectors, queries: batch.length, metric: 'dot', excluded })
    })
  }

  /** The items nearest to one item: a list. To several: a batch. By cosine unless `metric` says otherwise. */
  similarItems(item: RowOrId, options?: SimilarOptions): Promise<Recommendations>
  similarItems(items: RowsOrIds, options?: SimilarOptions): Promise<RecommendationBatch>
  similarItems(
    items: RowOrId | RowsOrIds,
    options: SimilarOptions = {},
  ): Promise<Recommendations | RecommendationBatch> {
    return this.#answer(isOne(items), async (served) => {
      const { metric = 'cosine' } = options
      const rows = served.items.toList(items)
      const { examples, ranker, score, toQueries } = await served.metrics.open({ ...options, metric })
      const { vectors, factors } = examples
      // By the taste space a query is another vector than the item's own.
      const own = metric === 'taste' && vectors === served.model.itemFactors
      const queries = own ? await toQueries(rowsOf(vectors, rows, factors)) : undefined
      return served.similar(ranker, rows, options, score, queries)
    })
  }

  /** The users nearest by cosine to one user: a list. To several: a batch. Filters are on users here. */
  similarUsers(user: RowOrId, options?: Omit<SimilarOptions, keyof MetricOptions>): Promise<Recommendations>
  similarUsers(users: RowsOrIds, options?: Omit<SimilarOptions, keyof MetricOptions>): Promise<RecommendationBatch>
  similarUsers(
    users: RowOrId | RowsOrIds,
    options: Omit<SimilarOptions, keyof MetricOptions> = {},
  ): Promise<Recommendations | RecommendationBatch> {
    return this.#answer(isOne(users), async (served) =>
      served.similar(await served.userRanker(), served.users.toList(users), options, 'cosine'),
    )
  }

  /**
   * Items near the positive examples and away from the negative ones, by Qdrant's `average_vector` strategy: the query is
   * avg(positive), or avg(positive) + (avg(positive) - avg(negative)) when there are negatives. By default the average is
   * taken in the taste space, where it is nearly the user who has the examples; by cosine over vectors of length one, as a
   * cosine collection stores them. Examples count by their `confidence` and the model's `itemWeights`, except by cosine.
   * The examples are left out, as Qdrant does. One set of examples: a list. An array of them: a batch.
   */
  blend(examples: Examples, options?: BlendOptions): Promise<Recommendations>
  blend(examples: readonly Examples[], options?: BlendOptions): Promise<RecommendationBatch>
  blend(
    examples: Examples | readonly Examples[],
    options: BlendOptions = {},
  ): Promise<Recommendations | RecommendationBatch> {
    const batch = Array.isArray(examples) ? (examples as readonly Examples[]) : [examples as Examples]
    return this.#answer(!Array.isArray(examples), async (served) => {
      const { metric = 'taste' } = options
      const { examples: items, ranker, score, toQueries } = await served.metrics.open({ ...options, metric })
      const { queries, excluded } = averageVectors(batch, items, served.items)
      const vectors = await toQueries(queries)
      return served.rank(ranker, options, { vectors, queries: batch.length, metric: score, excluded })
    })
  }

  /**
   * What each of the user's items adds to the score of an item (Hu, Koren, Volinsky 2008, section 5). Needs
   * `interactions`. The first call computes YᵀY over the pool; each solves one k×k system in float64.
   *
   * @param item undefined for an item that the model does not have, whose vector its features make
   * @param known with a model of features, what is known of the item and of the user: what each feature adds is told too
   */
  explain(user: RowOrId, item: RowOrId | undefined, known: KnownFeatures = {}): Promise<Explanation> {
    return this.#current.track(async (served) => {
      const { model, interactions, users, items } = served
      refuseUnknownNames('explain', known, KNOWN_NAMES)
      if (item === undefined && !known.item) throw new OptionError('explain needs an item, or what is known of one.')
      if (!interactions) {
        throw new OptionError('explain needs what users have: pass `interactions` when you make the recommender.')
      }
      const [row, column] = [users.toRow(user), item === undefined ? undefined : items.toRow(item)]
      return explain(model, interactions, await served.gram(), row, column, {
        item: knownRow('itemFeatures', model, known.item),
        user: knownRow('userFeatures', model, known.user),
      })
    })
  }

  /** What each example of a blend adds to the score of an item, by the metric that `blend` was called with. */
  explainBlend(examples: Examples, item: RowOrId, options: MetricOptions = {}): Promise<BlendExplanation> {
    return this.#current.track(async (served) => {
      refuseUnknownNames('explainBlend', options, METRIC_NAMES)
      const metric = await served.metrics.open({ ...options, metric: options.metric ?? 'taste' })
      return explainBlend(examples, served.items.toRow(item), metric, served.items, served.model.itemIds)
    })
  }

  /** Whether the model knows a user: a row, or an original id as a string. */
  hasUser(user: RowOrId): boolean {
    return this.#current.served.users.has(user)
  }

  /** Whether the model knows an item: a row, or an original id as a string. */
  hasItem(item: RowOrId): boolean {
    return this.#current.served.items.has(item)
  }

  /** Row number of an original user id. @throws RequestError for an unknown id. */
  userRow(id: number | string): number {
    return this.#current.served.users.rowOf(id)
  }

  /** Row number of an original item id. @throws RequestError for an unknown id. */
  itemRow(id: number | string): number {
    return this.#current.served.items.rowOf(id)
  }

  /** Waits for running calls, then frees the index and ends the threads, if they are its own. Further calls fail. */
  async close(): Promise<void> {
    const { isClosed } = this.#current
    await this.#current.close()
    if (this.#ownsPool && !isClosed) await this.#pool.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** One query in, one list out; several in, a batch. */
  async #answer(
    one: boolean,
    work: (served: ServedModel) => Promise<RecommendationBatch>,
  ): Promise<Recommendations | RecommendationBatch> {
    const batch = await this.#current.track(work)
    return one ? batch.at(0) : batch
  }
}

/** The vectors of some rows, in one array. */
function rowsOf(vectors: Float32Array, rows: Uint32Array, k: number): Float32Array<SharedArrayBuffer> {
  const some = sharedFloat32(rows.length * k)
  for (const [n, row] of rows.entries()) some.set(vectors.subarray(row * k, (row + 1) * k), n * k)
  return some
}

function toShared(vectors: Float32Array): Float32Array<SharedArrayBuffer> {
  const shared = new Float32Array(new SharedArrayBuffer(vectors.byteLength))
  shared.set(vectors)
  return shared
}
