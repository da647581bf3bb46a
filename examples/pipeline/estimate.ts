import { type MemoryInput, planMemory } from '@seesaw/als-core'
import type { LoadPlan } from '@seesaw/loader'
import type { Configuration } from '../configuration/schema.ts'
import { RARE_ITEMS } from './catalogue-vectors.ts'
import { ITEM_BYTES } from './whole-catalogue.ts'

/** Rows of the two sides and entries of a matrix: as they are, or the most that they can be. */
export interface MatrixSize {
  readonly users: number
  readonly items: number
  readonly entries: number
}

/** The most that a load can leave: a user has at least the threshold of rows, an item too. */
export function largestMatrix({ thresholds }: Configuration, { sampledRows, users, items }: LoadPlan): MatrixSize {
  const most = (atLeast: number, distinct: number) => Math.max(1, Math.min(distinct, Math.floor(sampledRows / atLeast)))
  return {
    users: most(thresholds.user, users.atMost),
    items: most(thresholds.item, items.atMost),
    entries: Math.max(1, sampledRows),
  }
}

/** Features of the items, and how many of them all items have together. */
export type FeatureSize = NonNullable<MemoryInput['itemFeatures']>

/**
 * What a load leaves in the process beside the matrix, in bytes: memory that the allocator keeps of threads that have ended and,
 * with S3, the SDK and its connections. 80 and 220 MB after 20 million rows.
 */
function leftByLoad({ sources }: Configuration, { entries }: MatrixSize): number {
  const isRemote = sources.some(({ uri, files }) => [uri, ...(files ?? [])].some((place) => place?.startsWith('s3://')))
  return isRemote ? 60e6 + Math.min(160e6, 10 * entries) : Math.min(80e6, 5 * entries)
}

/** Bytes at the peak of a training. The name of a feature, and its place by name, are about 200 more. */
export function trainingMemory(configuration: Configuration, size: MatrixSize, itemFeatures?: FeatureSize): number {
  const { training, threads, tune, recommend } = configuration
  const { factors } = training
  const popularityExponent = tune || recommend ? 0.25 : training.popularityExponent
  // While it tunes, the matrix stands beside its two parts, and their making; trials weigh by popularity, and are ranked.
  const tuning = tune ? 28 * size.entries + 24 * (size.users + size.items) + 3 * factors * size.items : 0
  const names = 200 * (itemFeatures?.features ?? 0)
  const { total } = planMemory({ ...size, factors, popularityExponent, threads, itemFeatures })
  return total + leftByLoad(configuration, size) + tuning + names
}

/**
 * Bytes at the peak of publishing: the factors, the vectors that go out, and where each payload is. With the whole catalogue no
 * vector waits: there are the users in the basis in which rare items are folded in, those items, and 29 bytes for each of the
 * `catalogue`.
 */
export function publishingMemory(
  { training, qdrant, items: { catalogue: published }, threads }: Configuration,
  { users, items }: MatrixSize,
  catalogue = 0,
): number {
  const whole = published === 'all'
  if (!qdrant.url && !whole) return 0
  const base = 120e6 + 30e6 * threads + 12 * items
  const vectors = 4 * training.factors
  if (!whole) return base + vectors * (users + items + (qdrant.users ? users + items : items))
  const sent = qdrant.users ? users : 0
  return base + vectors * (2 * users + items + sent + 2 * RARE_ITEMS) + ITEM_BYTES * catalogue
}

/** The most factors, in steps of 8, with which training and publishing stay within the memory; 0 where none do. */
export function largestFactors(configuration: Configuration, size: MatrixSize): number {
  for (let factors = Math.floor(configuration.training.factors / 8) * 8; factors > 0; factors -= 8) {
    const smaller = { ...configuration, training: { ...configuration.training, factors } }
    const needed = Math.max(trainingMemory(smaller, size), publishingMemory(smaller, size))
    if (needed <= configuration.memory) return factors
  }
  return 0
}

/** Bytes of a saved model: factors, ids (strings of up to 24 bytes) and their index, counts, and what users have. */
export function modelBytes({ training }: Configuration, { users, items, entries }: MatrixSize): number {
  return (4 * training.factors + 40) * (users + items) + 8 * (users + entries)
}

/** Bytes of checkpoints: the new one stands beside the one before until it is whole. */
export function checkpointBytes(
  { training }: Configuration,
  { users, items }: Pick<MatrixSize, 'users' | 'items'>,
): number {
  const { factors } = training
  return 2 * (4 * Math.ceil(factors / 8) * 8 * (users + items) + 2 * 8 * factors ** 2)
}

/** Bytes of a load's temporary files, where it works through some: rows by range of users, then entries of both orders. */
export function spillBytes({ sampledRows, spill }: LoadPlan): number {
  return spill ? 24 * sampledRows : 0
}

/**
 * Seconds of loading and of training, as an order of magnitude: 95 ns a row for both passes (100 million rows in 5.2 s
 * on 2 threads), 200 MB a second from S3, and 1.4 ns for a factor of an entry and an iteration (92 s for a billion
 * entries, 128 factors, 2 threads), all on threads of an AMD EPYC (Zen 4).
 */
export function estimateSeconds(
  { training, threads, sources, tune }: Configuration,
  { rows, bytes, sampledRows }: LoadPlan,
): { readonly load: number; readonly train: number } {
  const remote = sources.some(({ uri, files }) => (uri ?? files?.[0] ?? '').startsWith('s3:'))
  return {
    load: 1 + (rows * 95e-9) / threads + (remote ? (2 * bytes) / 200e6 : 0),
    train: (0.5 + (training.iterations * sampledRows * training.factors * 1.4e-9) / threads) * (tune ? 1 + TUNING : 1),
  }
}

/** What `tune` takes, in trainings. */
const TUNING = 18
