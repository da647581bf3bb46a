import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { countInteractions, valueAt } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { createWorkerPool, type WorkerPool } from '../pool/worker-pool.ts'
import type { RecommendationSource } from '../recommend/recommendations.ts'
import { Recommender } from '../recommend/recommender.ts'
import { areaUnderCurve } from './area-under-curve.ts'
import { type PopularityBucket, popularityBuckets } from './popularity-buckets.ts'
import { MetricSums, type RankingMetrics } from './ranking-metrics.ts'

export interface UserCounts {
  warm: number
  cold: number
}

/** Items that are measured together. */
export interface ItemGroup {
  readonly name: string
  /** Rows of the items. */
  readonly items: ArrayLike<number>
}

export interface EvaluateOptions {
  /** What was known: left out of the lists; item popularity is counted here. */
  train: InteractionMatrix
  /** What is to be found: entries above 0 are relevant; one that is in `train` too cannot be found, and counts as missed. */
  test: InteractionMatrix
  /** Length of list to measure, or several. Default: 20. */
  k?: number | readonly number[]
  /** Only these users (rows), of those with something to find. Default: all. */
  users?: ArrayLike<number>
  /** Only these items (rows) are ranked, and to be found: new ones among themselves, say. Default: all. */
  items?: ArrayLike<number>
  /** Groups of items to measure apart, in place of the popularity buckets. */
  groups?: readonly ItemGroup[]
  /**
   * Also measure users without an entry in `train`, of whom a model knows nothing: their lists are empty, or those of a
   * source of your own. Default: false.
   */
  coldUsers?: boolean
  /** Also the area under the ROC curve, of models only; it takes several times as long as the lists. Default: false. */
  auc?: boolean
  pool?: WorkerPool
  /** Threads of an own pool. Default: all cores. */
  threads?: number
  signal?: AbortSignal
  /** Called after each block of users. */
  onProgress?: (progress: { users: number; done: number }) => void
}

export interface Evaluation {
  /** Users with something to find: with entries in `train`, who are measured, and without. */
  users: UserCounts
  /** Metrics by k: `at[20].recall`. */
  at: Record<number, RankingMetrics>
  /** Area under the ROC curve, with the option `auc`: how often an item to be found scores above another one. */
  auc?: number
  /** The same for the relevant items of a popularity bucket alone: head, middle, tail; or of each of `groups`. */
  buckets: { name: string; items: number; at: Record<number, RankingMetrics>; auc?: number }[]
}

/**
 * Ranks all items for every user who has something to find in `test`, the items in `train` left out, and measures the
 * lists at each k in one pass. Nothing is sampled. Users without an entry in `train` are counted, and left out of the
 * averages unless `coldUsers` says otherwise.
 *
 * @throws RangeError when matrices and model differ in shape, all of test is in train, or k is not whole; Error when a list names an item twice or
 * one that the user has in `train`, which would make every figure wrong.
 */
export async function evaluate(source: AlsModel | RecommendationSource, options: EvaluateOptions): Promise<Evaluation> {
  checkNames(options)
  const { train, test, k = 20, coldUsers = false, signal, onProgress } = options
  const cutoffs = [...new Set(typeof k === 'number' ? [k] : k)].sort((a, b) => a - b)
  checkOptions(source, train, test, cutoffs, options.auc)
  const pool = options.pool ?? createWorkerPool({ threads: options.threads })
  const recommender = 'recommend' in source ? undefined : new Recommender(source, { pool })
  try {
    const recommending: RecommendationSource = recommender ?? (source as RecommendationSource)
    const popularity = countInteractions(train)
    const ranked = options.items && toBucket({ name: 'all', items: options.items }, train.items)
    const all = ranked ?? { name: 'all', members: new Uint8Array(train.items).fill(1), items: train.items }
    const groups = options.groups?.map((group) => toBucket(group, train.items)) ?? popularityBuckets(train)
    const buckets = [all, ...groups]
    const sums = buckets.map(({ members }) => new MetricSums(cutoffs, members, popularity))
    const asked = usersToTest(test, options.users, ranked?.members)
    const warm = asked.filter((user) => isWarm(train, user))
    const users = coldUsers ? asked : warm
    const check = makeListCheck(train, ranked?.members)
    for (let from = 0; from < users.length; from += block) {
      const some = users.subarray(from, from + block)
      const limit = cutoffs[cutoffs.length - 1]
      const lists = await recommending.recommend(some, { limit, exclude: train, allow: options.items, signal })
      for (let q = 0; q < some.length; q++) {
        const list = lists.rows.subarray(q * lists.limit, q * lists.limit + lists.counts[q])
        check(some[q], list)
        const relevant = relevantItems(test, some[q], ranked?.members)
        sums[0].add(list, relevant)
        for (let b = 1; b < buckets.length; b++) {
          const { members } = buckets[b]
          sums[b].add(list, new Set([...relevant].filter((item) => members[item])))
        }
      }
      onProgress?.({ users: users.length, done: from + some.length })
    }
    const curves =
      options.auc && 'userFactors' in source
        ? await areaUnderCurve(source, users, { train, test }, buckets, pool, signal)
        : undefined
    const results = buckets.map(({ name, items }, b) => {
      const at = byCutoff(sums[b].finish())
      return curves ? { name, items, at, auc: curves[b] } : { name, items, at }
    })
    const [{ at, auc }, ...parts] = results
    const counted = { warm: warm.length, cold: asked.length - warm.length }
    return { users: counted, at, ...(curves && { auc }), buckets: parts }
  } finally {
    await recommender?.close()
    if (!options.pool) await pool.close()
  }
}

/** Users ranked between two progress reports. */
const block = 4096

/** Looks at one user's list after the other: O(length of the list and of the user's row). */
function makeListCheck(
  { csr, items }: InteractionMatrix,
  ranked: Uint8Array | undefined,
): (user: number, list: Uint32Array) => void {
  // Number of the last list that names the item, or whose user has it.
  const last = new Uint32Array(items)
  let lists = 0
  return (user, list) => {
    lists++
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) last[csr.indices[e]] = lists
    for (const item of list) {
      if (last[item] === lists) {
        throw new Error(
          `The list of user ${user} names item ${item} twice, or the user has it in train: expected distinct items that are not in train.`,
        )
      }
      if (ranked?.[item] === 0) {
        throw new Error(`The list of user ${user} names item ${item}, which is not among the items asked for by allow.`)
      }
      last[item] = lists
    }
  }
}

/** @throws RangeError for a row that is not there */
function toBucket({ name, items }: ItemGroup, count: number): PopularityBucket {
  const members = new Uint8Array(count)
  for (let i = 0; i < items.length; i++) {
    if (!(Number.isInteger(items[i]) && items[i] >= 0 && items[i] < count)) {
      throw new RangeError(`Item ${items[i]} of ${name} is no row, expected one from 0 to ${count - 1}.`)
    }
    members[items[i]] = 1
  }
  return { name, members, items: members.reduce((sum, member) => sum + member, 0) }
}

function byCutoff(metrics: RankingMetrics[]): Record<number, RankingMetrics> {
  return Object.fromEntries(metrics.map((each) => [each.k, each]))
}

function usersToTest(test: InteractionMatrix, some: ArrayLike<number> | undefined, ranked?: Uint8Array): Uint32Array {
  const users = some ? Uint32Array.from(some) : Uint32Array.from({ length: test.users }, (_, user) => user)
  return users.filter((user) => relevantItems(test, user, ranked).size > 0)
}

function isWarm({ csr }: InteractionMatrix, user: number): boolean {
  return csr.indptr[user + 1] > csr.indptr[user]
}

/** How many users have something to find in `test`, with and without an entry in `train`. */
export function countUsers(train: InteractionMatrix, test: InteractionMatrix, some?: ArrayLike<number>): UserCounts {
  const users = usersToTest(test, some)
  const warm = users.reduce((count, user) => count + (isWarm(train, user) ? 1 : 0), 0)
  return { warm, cold: users.length - warm }
}

/** Items of a user whose value is above 0, of those that are ranked. */
function relevantItems({ csr, codebook }: InteractionMatrix, user: number, ranked?: Uint8Array): Set<number> {
  const items = new Set<number>()
  for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
    const value = valueAt(csr, codebook, e)
    if (value > 0 && ranked?.[csr.indices[e]] !== 0) items.add(csr.indices[e])
  }
  return items
}

function checkOptions(
  source: AlsModel | RecommendationSource,
  train: InteractionMatrix,
  test: InteractionMatrix,
  cutoffs: readonly number[],
  auc: boolean | undefined,
): void {
  if (train.users !== test.users || train.items !== test.items) {
    throw new RangeError(
      `train is ${train.users}×${train.items} and test ${test.users}×${test.items}: both need the same users and items as rows.`,
    )
  }
  if ('userFactors' in source && (source.users !== train.users || source.items !== train.items)) {
    throw new RangeError(
      `The model is ${source.users}×${source.items} and train ${train.users}×${train.items}: they must agree.`,
    )
  }
  checkDisjoint(train, test)
  const wrong = cutoffs.find((cutoff) => !(Number.isInteger(cutoff) && cutoff >= 1))
  if (auc && !('userFactors' in source)) {
    throw new RangeError(
      'auc needs the scores of all items, which a source of lists does not have, expected a model. Leave auc out.',
    )
  }
  if (cutoffs.length === 0 || wrong !== undefined) {
    throw new RangeError(`k is [${cutoffs}], expected one or more positive integers.`)
  }
}

const NAMES = {
  train: true,
  test: true,
  k: true,
  users: true,
  items: true,
  groups: true,
  coldUsers: true,
  auc: true,
  pool: true,
  threads: true,
  signal: true,
  onProgress: true,
} as const satisfies Record<keyof EvaluateOptions, true>

function checkNames(options: EvaluateOptions | undefined): void {
  if (!options?.train || !options.test) {
    throw new RangeError(
      'evaluate(source, { train, test }) needs two matrices of the same shape, what was known and what is to be found: see splitRandomly and leaveKOut.',
    )
  }
  refuseUnknownNames('evaluate', options, NAMES)
}

/** @throws RangeError when all of test is in train: what is known is left out of the lists, and every figure would be 0 */
function checkDisjoint(train: InteractionMatrix, test: InteractionMatrix): void {
  const owner = new Float64Array(train.items).fill(-1)
  let both = 0
  let example = ''
  for (let user = 0; user < train.users; user++) {
    for (let e = train.csr.indptr[user]; e < train.csr.indptr[user + 1]; e++) owner[train.csr.indices[e]] = user
    for (let e = test.csr.indptr[user]; e < test.csr.indptr[user + 1]; e++) {
      if (owner[test.csr.indices[e]] !== user) continue
      if (both++ === 0) example = `user ${user} and item ${test.csr.indices[e]}`
    }
  }
  if (both < test.entries || both === 0) return
  throw new RangeError(
    `All ${both} entries of test are in train too, ${example} for one: what is known is left out of the lists, and cannot be found. Test on other entries: see splitRandomly and leaveKOut.`,
  )
}
