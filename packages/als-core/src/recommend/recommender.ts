import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { number, positiveInteger } from '../checks/values.ts'
import type { KernelName } from '../kernel/instantiate.ts'
import { gramOf } from '../linear-algebra/gram-rows.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { loadModel } from '../model/load-model.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { createWorkerPool, type WorkerPool } from '../pool/worker-pool.ts'
import { Ranker, type RankRequest } from '../rank/ranker.ts'
import { buildRankingIndex } from '../rank/ranking-index.ts'
import type { ExcludedRows } from '../rank/task.ts'
import { averageVectors, type Examples } from './average-vectors.ts'
import { findColdQueries, replaceColdLists } from './cold-queries.ts'
import { type Explanation, explain } from './explain.ts'
import { ItemMetrics } from './item-metric.ts'
import { limitGroups } from './limit-groups.ts'
import {
  type BlendOptions,
  type FallbackOptions,
  LIST_NAMES,
  type MetricOptions,
  type RankOptions,
  RECOMMENDER_NAMES,
  type RecommenderOptions,
  type RecommendOptions,
  type SimilarOptions,
} from './options.ts'
import { type RecommendAllOptions, type RecommendAllResult, recommendAll } from './recommend-all.ts'
import { createBatch, type RecommendationBatch, type Recommendations } from './recommendations.ts'
import { allowedRows, createMask } from './row-filter.ts'
import { SideRows } from './side-rows.ts'

/**
 * Answers from a model in this process: exact lists over all items, computed by worker threads.
 *
 * Scores are inner products for users and cosines for similar rows, computed in float64 and rounded to float32; equal
 * scores are ordered by row number. The same lists come from any number of threads, any batch and either kernel. Calls
 * may overlap. The index (3·factors bytes per row, beside the model) is built on first use, or by `prepare`.
 */
export class Recommender {
  readonly model: AlsModel
  readonly #interactions: InteractionMatrix | undefined
  readonly #kernel: KernelName | undefined
  readonly #ownsPool: boolean
  readonly #pool: WorkerPool
  readonly #userRows: SideRows
  readonly #itemRows: SideRows
  readonly #metrics: ItemMetrics
  #items: Promise<Ranker> | undefined
  #users: Promise<Ranker> | undefined
  #gram: Promise<Float64Array> | undefined
  readonly #underWay = new Set<Promise<unknown>>()
  #closed = false

  constructor(model: AlsModel, options: RecommenderOptions = {}) {
    refuseUnknownNames('Recommender', options, RECOMMENDER_NAMES)
    const { interactions, pool, threads, kernel } = options
    checkShape(model, interactions)
    this.model = model
    this.#interactions = interactions
    this.#kernel = kernel
    this.#ownsPool = pool === undefined
    this.#pool = pool ?? createWorkerPool({ threads })
    this.#metrics = new ItemMetrics(
      model,
      this.#pool,
      () => this.#itemRanker(),
      (vectors) => this.#build(vectors, model.factors, model.interactionCounts),
    )
    this.#userRows = new SideRows('user', model.users, model.userIds)
    this.#itemRows = new SideRows('item', model.items, model.itemIds)
  }

  /** Opens a saved model: its factors are read once, into memory that the threads share. */
  static async open(directory: string, options: RecommenderOptions = {}): Promise<Recommender> {
    return new Recommender(await loadModel(directory), options)
  }

  /** Builds the indexes now instead of on first use: of items, and with `users` of users too (for `similarUsers`). */
  async prepare({ users = false }: { users?: boolean } = {}): Promise<void> {
    await this.#track(() => Promise.all([this.#itemRanker(), users && this.#userRanker()]))
  }

  /** The best items for one user (row number): a list. For several: a batch. */
  recommend(user: number, options?: RecommendOptions): Promise<Recommendations>
  recommend(users: ArrayLike<number>, options?: RecommendOptions): Promise<RecommendationBatch>
  recommend(
    users: number | ArrayLike<number>,
    options: RecommendOptions = {},
  ): Promise<Recommendations | RecommendationBatch> {
    return this.#answer(typeof users === 'number', async () => {
      const { exclude = this.#interactions !== undefined } = options
      const own = exclude === true ? this.#interactions : exclude || undefined
      if (exclude === true && !own) {
        throw new RangeError('exclude is true, but this recommender has no interactions: pass the matrix instead.')
      }
      if (own) checkShape(this.model, own)
      const vectorRows = this.#userRows.toList(users)
      return this.#rank(await this.#itemRanker(), options, {
        vectors: this.model.userFactors,
        vectorRows,
        queries: vectorRows.length,
        metric: 'dot',
        excluded: own && { indptr: own.csr.indptr, indices: own.csr.indices, lists: vectorRows },
      })
    })
  }

  /**
   * Streams the lists of all users to a Parquet file with the columns user, rank, item and score, in bounded memory.
   * A signal ends it between two runs of queries and leaves no file.
   */
  recommendAll(file: string, options: RecommendAllOptions = {}): Promise<RecommendAllResult> {
    return this.#track(() => recommendAll((users, some) => this.recommend(users, some), this.model, file, options))
  }

  /** The best items for vectors that are no row of the model, such as those of `foldInUsers`; one vector per query. */
  recommendForVectors(
    vectors: Float32Array,
    options: RankOptions & FallbackOptions & { exclude?: InteractionMatrix } = {},
  ): Promise<RecommendationBatch> {
    return this.#track(async () => {
      const { factors } = this.model
      if (vectors.length === 0 || vectors.length % factors !== 0) {
        throw new RangeError(
          `vectors has ${vectors.length} values, expected a multiple of ${factors}, one vector per query.`,
        )
      }
      const { exclude } = options
      const queries = vectors.length / factors
      if (exclude && (exclude.users !== queries || exclude.items !== this.model.items)) {
        throw new RangeError(
          `exclude is ${exclude.users}×${exclude.items}, expected one row for each of ${queries} vectors and ${this.model.items} columns.`,
        )
      }
      return this.#rank(await this.#itemRanker(), options, {
        vectors: toShared(vectors),
        queries,
        metric: 'dot',
        excluded: exclude && { indptr: exclude.csr.indptr, indices: exclude.csr.indices },
      })
    })
  }

  /**
   * The items nearest to one item (row number): a list. To several: a batch. By cosine unless `metric` says otherwise.
   */
  similarItems(item: number, options?: SimilarOptions): Promise<Recommendations>
  similarItems(items: ArrayLike<number>, options?: SimilarOptions): Promise<RecommendationBatch>
  similarItems(
    items: number | ArrayLike<number>,
    options: SimilarOptions = {},
  ): Promise<Recommendations | RecommendationBatch> {
    return this.#answer(typeof items === 'number', async () => {
      const { metric = 'cosine' } = options
      const rows = this.#itemRows.toList(items)
      const { examples, ranker, score, toQueries } = await this.#metrics.open({ ...options, metric })
      const { vectors, factors } = examples
      // By the taste space a query is another vector than the item's own.
      const own = metric === 'taste' && vectors === this.model.itemFactors
      const queries = own ? await toQueries(rowsOf(vectors, rows, factors)) : undefined
      return this.#similar(ranker, rows, options, score, queries)
    })
  }

  /** The users nearest by cosine to one user (row number): a list. To several: a batch. Filters are on users here. */
  similarUsers(user: number, options?: Omit<SimilarOptions, keyof MetricOptions>): Promise<Recommendations>
  similarUsers(
    users: ArrayLike<number>,
    options?: Omit<SimilarOptions, keyof MetricOptions>,
  ): Promise<RecommendationBatch>
  similarUsers(
    users: number | ArrayLike<number>,
    options: Omit<SimilarOptions, keyof MetricOptions> = {},
  ): Promise<Recommendations | RecommendationBatch> {
    return this.#answer(typeof users === 'number', async () =>
      this.#similar(await this.#userRanker(), this.#userRows.toList(users), options, 'cosine'),
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
    return this.#answer(!Array.isArray(examples), async () => {
      const { metric = 'taste' } = options
      const { examples: items, ranker, score, toQueries } = await this.#metrics.open({ ...options, metric })
      const { queries, excluded } = averageVectors(batch, items, this.#itemRows)
      const vectors = await toQueries(queries)
      return this.#rank(ranker, options, { vectors, queries: batch.length, metric: score, excluded })
    })
  }

  /**
   * What each of the user's items adds to the score of an item (Hu, Koren, Volinsky 2008, section 5). Needs
   * `interactions`. The first call computes YᵀY over the pool; each solves one k×k system in float64.
   */
  explain(user: number, item: number): Promise<Explanation> {
    return this.#track(async () => {
      if (!this.#interactions) {
        throw new RangeError('explain needs what users have: pass `interactions` when you make the recommender.')
      }
      this.#userRows.toList(user)
      this.#itemRows.toList(item)
      this.#gram ??= gramOf(this.model.itemFactors, this.model.factors, this.#pool)
      return explain(this.model, this.#interactions, await this.#gram, user, item)
    })
  }

  /** Row number of an original user id. @throws RangeError for an unknown id. */
  userRow(id: number | string): number {
    return this.#userRows.rowOf(id)
  }

  /** Row number of an original item id. @throws RangeError for an unknown id. */
  itemRow(id: number | string): number {
    return this.#itemRows.rowOf(id)
  }

  /** Waits for running calls, then frees the index and ends the threads, if they are its own. Further calls fail. */
  async close(): Promise<void> {
    const wasClosed = this.#closed
    this.#closed = true
    await Promise.allSettled(this.#underWay)
    this.#items = undefined
    this.#users = undefined
    this.#metrics.close()
    if (this.#ownsPool && !wasClosed) await this.#pool.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #similar(
    ranker: Ranker,
    rows: Uint32Array,
    options: SimilarOptions,
    metric: 'cosine' | 'dot',
    vectors?: Float32Array<SharedArrayBuffer>,
  ): Promise<RecommendationBatch> {
    const queries = rows.length
    const indptr = Float64Array.from({ length: queries + 1 }, (_, query) => query)
    return this.#rank(ranker, options, {
      ...(vectors ? { vectors } : { vectors: ranker.index.factors, vectorRows: rows }),
      queries,
      metric,
      excluded: options.includeSelf ? undefined : { indptr, indices: rows },
    })
  }

  async #rank(
    ranker: Ranker,
    options: RankOptions & FallbackOptions,
    request: Omit<RankRequest, 'limit'> & { excluded?: ExcludedRows },
  ): Promise<RecommendationBatch> {
    refuseUnknownNames('recommend', options, LIST_NAMES)
    const { limit = 10, popularityPenalty = 0, perGroup, signal, fallback = 'none' } = options
    const { count } = ranker.index
    positiveInteger('limit', limit)
    number('popularityPenalty', popularityPenalty, 0)
    const ofItems = ranker.index.factors !== this.model.userFactors
    const counts = ofItems ? this.model.interactionCounts : undefined
    if (popularityPenalty > 0 && !counts) {
      throw new RangeError(
        'popularityPenalty needs a model with interactionCounts and lists of items; there are none here.',
      )
    }
    if (fallback !== 'none' && fallback !== 'mostPopular') {
      throw new RangeError(`fallback is ${JSON.stringify(fallback)}, expected 'none' or 'mostPopular'.`)
    }
    if (fallback === 'mostPopular' && !counts) {
      throw new RangeError("fallback 'mostPopular' needs a model with interactionCounts; this one has none.")
    }
    const cold = findColdQueries(request, this.model.factors)
    const allowed = allowedRows(options, count, counts)
    const mask = allowed && createMask(allowed, ranker.index)
    const rank = (room: number, some: Partial<RankRequest> = {}) =>
      ranker.rank({
        ...request,
        ...some,
        limit: Math.min(room, count),
        mask,
        penalty: popularityPenalty,
        counts,
        signal,
      })
    const found = perGroup ? await limitGroups(rank, request, limit, count, perGroup) : await rank(limit)
    const width = Math.min(limit, count)
    const popular = fallback === 'mostPopular' ? { counts: counts!, allowed, perGroup } : undefined
    replaceColdLists(found, width, cold, request, popular)
    const ids = ofItems ? this.model.itemIds : this.model.userIds
    return createBatch(width, found.counts, found.rows, found.scores, ids)
  }

  #itemRanker(): Promise<Ranker> {
    const { itemFactors, factors, interactionCounts: counts } = this.model
    this.#items ??= this.#build(itemFactors, factors, counts).catch((error) => {
      this.#items = undefined
      throw error
    })
    return this.#items
  }

  #userRanker(): Promise<Ranker> {
    this.#users ??= this.#build(this.model.userFactors, this.model.factors).catch((error) => {
      this.#users = undefined
      throw error
    })
    return this.#users
  }

  async #build(vectors: Float32Array<SharedArrayBuffer>, k: number, counts?: ArrayLike<number>): Promise<Ranker> {
    const pool = this.#pool
    return new Ranker(await buildRankingIndex(vectors, k, { pool, kernel: this.#kernel, counts }), pool)
  }

  /** One query in, one list out; several in, a batch. */
  async #answer(
    one: boolean,
    work: () => Promise<RecommendationBatch>,
  ): Promise<Recommendations | RecommendationBatch> {
    const batch = await this.#track(work)
    return one ? batch.at(0) : batch
  }

  /** Keeps track of running calls, so that `close` can wait for them. */
  async #track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('This recommender is closed. Make another one.')
    const running = work()
    this.#underWay.add(running)
    try {
      return await running
    } finally {
      this.#underWay.delete(running)
    }
  }
}

function checkShape(model: AlsModel, interactions: InteractionMatrix | undefined): void {
  if (!interactions || (interactions.users === model.users && interactions.items === model.items)) return
  throw new RangeError(
    `The interactions are ${interactions.users} users × ${interactions.items} items, the model ${model.users} × ${model.items}: ` +
      'pass the matrix that the model was trained on, or one with the same rows.',
  )
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
