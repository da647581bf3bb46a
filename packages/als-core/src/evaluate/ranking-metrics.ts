/** How good the first k of users' lists are, averaged over the users that have relevant items. */
export interface RankingMetrics {
  /** Length of the lists. */
  k: number
  /** Users with at least one relevant item: those the averages are over. */
  users: number
  /** Relevant items in the list / k. */
  precision: number
  /** Relevant items in the list / relevant items: what papers on graph and contrastive models call Recall@k. */
  recall: number
  /** Relevant items in the list / min(k, relevant items): the normalisation of Rendle et al. and Liang et al. */
  truncatedRecall: number
  /** Discounted cumulative gain (1 / log2(1 + place)) over its best possible value, that of min(k, relevant) hits on top. */
  ndcg: number
  /** Mean over the hits of precision at their place, the sum divided by min(k, relevant items). */
  map: number
  /** 1 / place of the first hit, 0 without one. */
  mrr: number
  /** Share of users with a hit. */
  hitRate: number
  /** Share of the items that are in somebody's list. */
  coverage: number
  /** Mean number of training interactions of a recommended item, each recommendation counted. */
  meanPopularity: number
  /** Inequality of how often items are recommended: 0 all alike, near 1 a few items take everything. */
  gini: number
}

/** Adds up users' lists for several k at once. */
export class MetricSums {
  readonly #cutoffs: readonly number[]
  readonly #items: Uint8Array
  readonly #popularity: ArrayLike<number>
  readonly #sums: { hits: Float64Array; recommended: Uint32Array }[]
  #users = 0

  /**
   * @param cutoffs the values of k, ascending
   * @param items 1 for each item that counts (a popularity bucket), by item
   * @param popularity training interactions, by item
   */
  constructor(cutoffs: readonly number[], items: Uint8Array, popularity: ArrayLike<number>) {
    this.#cutoffs = cutoffs
    this.#items = items
    this.#popularity = popularity
    this.#sums = cutoffs.map(() => ({ hits: new Float64Array(MEASURES), recommended: new Uint32Array(items.length) }))
  }

  /** One user's list, best first, and relevant items. Returns nothing; a user without a relevant item adds to no average. */
  add(list: ArrayLike<number>, relevant: ReadonlySet<number>): void {
    const last = this.#cutoffs[this.#cutoffs.length - 1]
    let hits = 0
    let gain = 0
    let precisions = 0
    let first = 0
    let cut = 0
    for (let place = 1; place <= last; place++) {
      const item = place <= list.length ? list[place - 1] : undefined
      if (item !== undefined && relevant.has(item)) {
        hits++
        gain += 1 / Math.log2(1 + place)
        precisions += hits / place
        first ||= place
      }
      if (item !== undefined && this.#items[item]) {
        for (let c = cut; c < this.#cutoffs.length; c++) this.#sums[c].recommended[item]++
      }
      if (place < this.#cutoffs[cut]) continue
      if (relevant.size > 0) {
        const sums = this.#sums[cut].hits
        const best = Math.min(place, relevant.size)
        sums[0] += hits / place
        sums[1] += hits / relevant.size
        sums[2] += hits / best
        sums[3] += gain / bestGain(best)
        sums[4] += precisions / best
        sums[5] += first > 0 ? 1 / first : 0
        sums[6] += hits > 0 ? 1 : 0
      }
      cut++
    }
    if (relevant.size > 0) this.#users++
  }

  /** The averages, one for each k. */
  finish(): RankingMetrics[] {
    return this.#sums.map(({ hits, recommended }, c) => {
      const [precision, recall, truncatedRecall, ndcg, map, mrr, hitRate] = hits.map((sum) =>
        this.#users > 0 ? sum / this.#users : 0,
      )
      const counts: number[] = []
      let total = 0
      let interactions = 0
      for (let item = 0; item < recommended.length; item++) {
        if (!this.#items[item]) continue
        counts.push(recommended[item])
        total += recommended[item]
        interactions += recommended[item] * this.#popularity[item]
      }
      return {
        k: this.#cutoffs[c],
        users: this.#users,
        precision,
        recall,
        truncatedRecall,
        ndcg,
        map,
        mrr,
        hitRate,
        coverage: counts.length > 0 ? counts.filter((count) => count > 0).length / counts.length : 0,
        meanPopularity: total > 0 ? interactions / total : 0,
        gini: gini(counts),
      }
    })
  }
}

/** Gini coefficient of counts: Σ (2i - n - 1)·x_i / (n·Σ x) over the counts in rising order, i from 1. */
export function gini(counts: readonly number[]): number {
  const sorted = Float64Array.from(counts).sort()
  let weighted = 0
  let total = 0
  for (let i = 0; i < sorted.length; i++) {
    weighted += (2 * (i + 1) - sorted.length - 1) * sorted[i]
    total += sorted[i]
  }
  return total > 0 ? weighted / (sorted.length * total) : 0
}

const MEASURES = 7

/** Discounted gain of `hits` hits in the first places. */
function bestGain(hits: number): number {
  while (gains.length <= hits) gains.push(gains[gains.length - 1] + 1 / Math.log2(1 + gains.length))
  return gains[hits]
}

const gains = [0]
