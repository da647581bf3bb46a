import type { InteractionMatrix, RecommendationSource, SourceOptions } from '@seesaw/als-core'
import { octaveOf, type QualityRecord } from '../report/run-record.ts'
import { OctaveCounts } from './octave-counts.ts'

type Lists = Awaited<ReturnType<RecommendationSource['recommend']>>

interface Sums {
  users: number
  relevant: number
  hits: number
  recall: number
}

/**
 * A source of recommendations that notes what passes through it: what is recommended, to whom, and what of it was held out.
 * 8 bytes per item, and nothing per user.
 */
export class Tally implements RecommendationSource {
  readonly #source: RecommendationSource
  readonly #train: InteractionMatrix
  readonly #test: InteractionMatrix | undefined
  readonly #counts: Float64Array
  /** By octave of the user's training entries. */
  readonly #byUser: Sums[] = []
  /** By octave of the item's training entries. */
  readonly #byItem: Sums[] = []

  constructor(source: RecommendationSource, train: InteractionMatrix, test?: InteractionMatrix) {
    this.#source = source
    this.#train = train
    this.#test = test
    this.#counts = new Float64Array(train.items)
  }

  async recommend(users: Uint32Array, options: SourceOptions): Promise<Lists> {
    const lists = await this.#source.recommend(users, options)
    for (let q = 0; q < users.length; q++) {
      const list = lists.rows.subarray(q * lists.limit, q * lists.limit + lists.counts[q]!)
      for (const item of list) this.#counts[item]!++
      if (this.#test) this.#note(users[q]!, list, this.#test)
    }
    return lists
  }

  /** Recommendations by octave of the item's training entries; those of items without any are in none. */
  get recommended(): number[] {
    const octaves = new OctaveCounts()
    for (let item = 0; item < this.#counts.length; item++)
      octaves.add(entriesOf(this.#train.csc, item), this.#counts[item]!)
    return octaves.counts
  }

  /** Share of the items that were recommended to somebody. */
  get coverage(): number {
    return this.#counts.reduce((shown, count) => shown + (count > 0 ? 1 : 0), 0) / this.#counts.length
  }

  /** Recall by how much is known of users, averaged over them, and of items, over their held-out entries. */
  get groups(): Pick<QualityRecord, 'byUser' | 'byItem'> {
    const byUser = present(this.#byUser).map(([octave, { users, relevant, recall }]) => ({
      octave,
      users,
      relevant,
      recall: recall / users,
    }))
    const byItem = present(this.#byItem).map(([octave, { relevant, hits }]) => ({
      octave,
      relevant,
      recall: hits / relevant,
    }))
    return { byUser, byItem }
  }

  #note(user: number, list: Uint32Array, { csr, codebook }: InteractionMatrix): void {
    const listed = new Set(list)
    let relevant = 0
    let hits = 0
    for (let e = csr.indptr[user]!; e < csr.indptr[user + 1]!; e++) {
      const value = csr.values[e]!
      if ((codebook ? codebook[value]! : value) <= 0) continue
      const item = csr.indices[e]!
      const hit = listed.has(item) ? 1 : 0
      relevant++
      hits += hit
      const known = entriesOf(this.#train.csc, item)
      if (known > 0) add(this.#byItem, octaveOf(known), { relevant: 1, hits: hit })
    }
    const known = entriesOf(this.#train.csr, user)
    if (relevant > 0 && known > 0) add(this.#byUser, octaveOf(known), { users: 1, relevant, recall: hits / relevant })
  }
}

function entriesOf({ indptr }: InteractionMatrix['csr'], row: number): number {
  return indptr[row + 1]! - indptr[row]!
}

function add(groups: Sums[], octave: number, some: Partial<Sums>): void {
  groups[octave] ??= { users: 0, relevant: 0, hits: 0, recall: 0 }
  const sums = groups[octave]
  for (const name of Object.keys(some) as (keyof Sums)[]) sums[name] += some[name]!
}

function present(groups: readonly Sums[]): [octave: number, sums: Sums][] {
  return groups.flatMap((sums, octave): [number, Sums][] => (sums ? [[octave, sums]] : []))
}
