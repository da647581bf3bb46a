import { OptionError } from '../checks/option-error.ts'
import { show } from '../checks/show.ts'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { number } from '../checks/values.ts'
import type { KernelName } from '../kernel/instantiate.ts'
import { gramOf } from '../linear-algebra/gram-rows.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { checkFits } from '../model/check-fits.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { Ranker, type RankRequest } from '../rank/ranker.ts'
import { buildRankingIndex } from '../rank/ranking-index.ts'
import type { ExcludedRows } from '../rank/task.ts'
import { findColdQueries, replaceColdLists } from './cold-queries.ts'
import { ItemMetrics } from './item-metric.ts'
import { limitGroups } from './limit-groups.ts'
import { type FallbackOptions, LIST_NAMES, type RankOptions, type RecommendOptions } from './options.ts'
import { createBatch, type RecommendationBatch } from './recommendations.ts'
import { RequestError } from './request-error.ts'
import { allowedRows, createMask } from './row-filter.ts'
import { type RowOrId, type RowsOrIds, SideRows } from './side-rows.ts'

/**
 * A model while it answers: its rows by id, what is built of it on first use, and the calls that are under way. A
 * `Recommender` has one at a time, and one more while the calls of the one before end.
 */
export class ServedModel {
  readonly model: AlsModel
  readonly interactions: InteractionMatrix | undefined
  readonly users: SideRows
  readonly items: SideRows
  readonly metrics: ItemMetrics
  readonly #pool: WorkerPool
  readonly #kernel: KernelName | undefined
  readonly #underWay = new Set<Promise<unknown>>()
  #itemRanker: Promise<Ranker> | undefined
  #userRanker: Promise<Ranker> | undefined
  #gram: Promise<Float64Array> | undefined

  constructor(
    model: AlsModel,
    interactions: InteractionMatrix | undefined,
    pool: WorkerPool,
    kernel: KernelName | undefined,
  ) {
    checkFits(model, interactions)
    this.model = model
    this.interactions = interactions
    this.#pool = pool
    this.#kernel = kernel
    this.users = new SideRows('user', model.users, model.userIds)
    this.items = new SideRows('item', model.items, model.itemIds)
    this.metrics = new ItemMetrics(
      model,
      pool,
      () => this.itemRanker(),
      (vectors) => this.#build(vectors, model.interactionCounts),
    )
  }

  /** Builds what another model has built. */
  async prepareAs(other: ServedModel): Promise<void> {
    await Promise.all([
      this.itemRanker(),
      other.#userRanker && this.userRanker(),
      other.#gram && this.gram(),
      this.metrics.prepareAs(other.metrics),
    ])
  }

  async itemRanker(): Promise<Ranker> {
    const { itemFactors, interactionCounts } = this.model
    this.#itemRanker ??= this.#build(itemFactors, interactionCounts).catch((error) => {
      this.#itemRanker = undefined
      throw error
    })
    return this.#itemRanker
  }

  async userRanker(): Promise<Ranker> {
    this.#userRanker ??= this.#build(this.model.userFactors).catch((error) => {
      this.#userRanker = undefined
      throw error
    })
    return this.#userRanker
  }

  /** YᵀY of the item factors. */
  gram(): Promise<Float64Array> {
    this.#gram ??= gramOf(this.model.itemFactors, this.model.factors, this.#pool).catch((error) => {
      this.#gram = undefined
      throw error
    })
    return this.#gram
  }

  /** The best items of some users, without what they have. */
  async recommend(users: RowOrId | RowsOrIds, options: RecommendOptions): Promise<RecommendationBatch> {
    const { exclude = this.interactions !== undefined } = options
    const own = exclude === true ? this.interactions : exclude || undefined
    if (exclude === true && !own) {
      throw new OptionError('exclude is true, but this recommender has no interactions: pass the matrix instead.')
    }
    checkFits(this.model, own)
    const vectorRows = this.users.toList(users)
    return this.rank(await this.itemRanker(), options, {
      vectors: this.model.userFactors,
      vectorRows,
      queries: vectorRows.length,
      metric: 'dot',
      excluded: own && { indptr: own.csr.indptr, indices: own.csr.indices, lists: vectorRows },
    })
  }

  /** The lists of rows nearest to some rows of the same side; with `vectors`, of the queries that stand for them. */
  async similar(
    ranker: Ranker,
    rows: Uint32Array,
    options: RankOptions & { includeSelf?: boolean },
    metric: 'cosine' | 'dot',
    vectors?: Float32Array<SharedArrayBuffer>,
  ): Promise<RecommendationBatch> {
    const queries = rows.length
    const indptr = Float64Array.from({ length: queries + 1 }, (_, query) => query)
    return this.rank(ranker, options, {
      ...(vectors ? { vectors } : { vectors: ranker.index.factors, vectorRows: rows }),
      queries,
      metric,
      excluded: options.includeSelf ? undefined : { indptr, indices: rows },
    })
  }

  async rank(
    ranker: Ranker,
    options: RankOptions & FallbackOptions,
    request: Omit<RankRequest, 'limit'> & { excluded?: ExcludedRows },
  ): Promise<RecommendationBatch> {
    refuseUnknownNames('recommend', options, LIST_NAMES)
    const { limit = 10, popularityPenalty = 0, perGroup, signal, fallback = 'none' } = options
    const { count } = ranker.index
    if (!(Number.isInteger(limit) && limit >= 1)) {
      throw new RequestError('BAD_LIMIT', `limit is ${show(limit)}, expected a positive integer.`)
    }
    number('popularityPenalty', popularityPenalty, 0)
    const ofItems = ranker.index.factors !== this.model.userFactors
    const side = ofItems ? this.items : this.users
    const counts = ofItems ? this.model.interactionCounts : undefined
    if (popularityPenalty > 0 && !counts) {
      throw new OptionError(
        'popularityPenalty needs a model with interactionCounts and lists of items; there are none here.',
      )
    }
    if (fallback !== 'none' && fallback !== 'mostPopular') {
      throw new OptionError(`fallback is ${JSON.stringify(fallback)}, expected 'none' or 'mostPopular'.`)
    }
    if (fallback === 'mostPopular' && !counts) {
      throw new OptionError("fallback 'mostPopular' needs a model with interactionCounts; this one has none.")
    }
    const cold = findColdQueries(request, this.model.factors)
    const allowed = allowedRows(options, side, counts)
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

  /** Keeps track of a call, so that `close` can wait for it. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    const running = work()
    this.#underWay.add(running)
    try {
      return await running
    } finally {
      this.#underWay.delete(running)
    }
  }

  /** Waits for the calls that are under way, then frees the indexes. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    this.#itemRanker = undefined
    this.#userRanker = undefined
    this.metrics.close()
  }

  async #build(vectors: Float32Array<SharedArrayBuffer>, counts?: ArrayLike<number>): Promise<Ranker> {
    const pool = this.#pool
    return new Ranker(
      await buildRankingIndex(vectors, this.model.factors, { pool, kernel: this.#kernel, counts }),
      pool,
    )
  }
}
