/**
 * How good the first k of users' lists are, averaged over the users that have relevant items.
 *
 * A class, and not an object literal, because of a fault of V8 (13.6 in Node 24, 14.6 in Node 26): a function that Maglev
 * compiled in the middle of a loop, and that is left in the middle of a literal after it, takes the literal's boxed doubles
 * from its own code instead of making new ones. Each later object of that code then shows the last one's fractions: one
 * evaluation in four gave the tail's recall as the whole's. Fields that a constructor sets get boxes of their own.
 */
export class RankingMetrics {
  /** Length of the lists. */
  readonly k: number
  /** Users with at least one relevant item: those the averages are over. */
  readonly users: number
  /** Relevant items in the list / k. */
  readonly precision: number
  /** Relevant items in the list / relevant items: what papers on graph and contrastive models call Recall@k. */
  readonly recall: number
  /** Relevant items in the list / min(k, relevant items): the normalisation of Rendle et al. and Liang et al. */
  readonly truncatedRecall: number
  /** Discounted cumulative gain (1 / log2(1 + place)) over its best possible value, that of min(k, relevant) hits on top. */
  readonly ndcg: number
  /** Mean over the hits of precision at their place, the sum divided by min(k, relevant items). */
  readonly map: number
  /** 1 / place of the first hit, 0 without one. */
  readonly mrr: number
  /** Share of users with a hit. */
  readonly hitRate: number
  /** Share of the items that are in somebody's list. */
  readonly coverage: number
  /** Mean number of training interactions of a recommended item, each recommendation counted. */
  readonly meanPopularity: number
  /** Inequality of how often items are recommended: 0 all alike, near 1 a few items take everything. */
  readonly gini: number

  /** @param sums over the users, in the order of `Sum` */
  constructor(k: number, users: number, sums: Float64Array, spread: Spread) {
    const mean = (sum: number): number => (users > 0 ? sums[sum] / users : 0)
    this.k = k
    this.users = users
    this.precision = mean(Sum.precision)
    this.recall = mean(Sum.recall)
    this.truncatedRecall = mean(Sum.truncatedRecall)
    this.ndcg = mean(Sum.ndcg)
    this.map = mean(Sum.map)
    this.mrr = mean(Sum.mrr)
    this.hitRate = mean(Sum.hitRate)
    this.coverage = spread.coverage
    this.meanPopularity = spread.meanPopularity
    this.gini = spread.gini
  }
}

/** Places of a user's figures in the sums. */
const Sum = { precision: 0, recall: 1, truncatedRecall: 2, ndcg: 3, map: 4, mrr: 5, hitRate: 6 } as const
const SUMS = Object.keys(Sum).length

/** How recommendations spread over the items that count. */
class Spread {
  readonly coverage: number
  readonly meanPopularity: number
  readonly gini: number

  constructor(recommended: Uint32Array, items: Uint8Array, popularity: ArrayLike<number>) {
    const counts: number[] = []
    let shown = 0
    let total = 0
    let interactions = 0
    for (let item = 0; item < recommended.length; item++) {
      if (!items[item]) continue
      counts.push(recommended[item])
      if (recommended[item] > 0) shown++
      total += recommended[item]
      interactions += recommended[item] * popularity[item]
    }
    this.coverage = counts.length > 0 ? shown / counts.length : 0
    this.meanPopularity = total > 0 ? interactions / total : 0
    this.gini = gini(counts)
  }
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
    this.#sums = cutoffs.map(() => ({ hits: new Float64Array(SUMS), recommended: new Uint32Array(items.length) }))
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
      // Behind the list nothing is found any more: on to where the next figures are taken.
      if (place > list.length) place = this.#cutoffs[cut]
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
        sums[Sum.precision] += hits / place
        sums[Sum.recall] += hits / relevant.size
        sums[Sum.truncatedRecall] += hits / best
        sums[Sum.ndcg] += gain / bestGain(best)
        sums[Sum.map] += precisions / best
        sums[Sum.mrr] += first > 0 ? 1 / first : 0
        sums[Sum.hitRate] += hits > 0 ? 1 : 0
      }
      cut++
    }
    if (relevant.size > 0) this.#users++
  }

  /** The averages, one for each k. */
  finish(): RankingMetrics[] {
    return this.#sums.map(({ hits, recommended }, c) => {
      const spread = new Spread(recommended, this.#items, this.#popularity)
      return new RankingMetrics(this.#cutoffs[c], this.#users, hits, spread)
    })
  }
}

/** Gini coefficient of counts: Σ (2i - n - 1)·x_i / (n·Σ x) over the counts in ascending order, i from 1. */
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

/** Discounted gain of `hits` hits in the first places. */
function bestGain(hits: number): number {
  while (gains.length <= hits) gains.push(gains[gains.length - 1] + 1 / Math.log2(1 + gains.length))
  return gains[hits]
}

const gains = [0]
