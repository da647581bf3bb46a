import { OptionError } from '../checks/option-error.ts'
import { valueAt } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { rowRandom } from './row-random.ts'

/** By what an index is asked: a user's own vector, all of a user's items, the last few of them, or one. */
export type ServingQuestionKind = 'user' | 'blend' | 'recent' | 'seed'

/** One question of one user. */
export interface ServingQuestion {
  readonly kind: ServingQuestionKind
  /** Which of an index's vectors is asked; users have theirs in the taste space. */
  readonly metric: 'taste' | 'cosine'
  /** Row of the user. */
  readonly user: number
  /** Rows of the items to ask by; none for kind 'user'. */
  readonly positive: Uint32Array
  /** Rows that the answer may not have: what the user has in `train`. */
  readonly exclude: Uint32Array
  readonly limit: number
}

/** What questions are made of. */
export interface QuestionOptions {
  /** What was known: users ask by the items above 0, and all are left out of the answers. */
  train: InteractionMatrix
  /** What is to be found: entries above 0 are relevant. */
  test: InteractionMatrix
  /** Most users to ask for, drawn by `seed` from those with something in both matrices. Default 1000. */
  users?: number
  /** Number of items of the kind 'recent'. Default 5. */
  recent?: number
  /** A user's items with the newest first, for the kinds 'recent' and 'seed'. Default: drawn by `seed`. */
  newestFirst?: (user: number) => ArrayLike<number>
  /** Default 42. */
  seed?: number
}

export function makeQuestion(
  kind: ServingQuestionKind,
  metric: 'taste' | 'cosine',
  user: number,
  limit: number,
  { train, newestFirst, recent = 5, seed = 42 }: QuestionOptions,
): ServingQuestion {
  const liked = Uint32Array.from(relevantItems(train, user))
  const ordered = (): Uint32Array => {
    if (newestFirst) return newest(user, newestFirst)
    const random = rowRandom(seed, user)
    const items = liked.slice()
    for (let i = items.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[items[i], items[j]] = [items[j], items[i]]
    }
    return items
  }
  const positive = {
    user: () => new Uint32Array(0),
    blend: () => liked,
    recent: () => ordered().subarray(0, recent),
    seed: () => ordered().subarray(0, 1),
  }[kind]()
  return { kind, metric, user, positive, exclude: rowOf(train, user), limit }
}

function newest(user: number, newestFirst: (user: number) => ArrayLike<number>): Uint32Array {
  const items = newestFirst(user)
  if (items?.length > 0) return Uint32Array.from(items)
  throw new OptionError(`newestFirst(${user}) has no items, expected those of the user in train, the newest first.`)
}

/** Users with items in both matrices, at most `users` of them, drawn by the seed, in ascending order. */
export function drawUsers({ train, test, users: limit = 1000, seed = 42 }: QuestionOptions): number[] {
  const able: { user: number; key: number }[] = []
  for (let user = 0; user < train.users; user++) {
    if (relevantItems(train, user).size === 0 || relevantItems(test, user).size === 0) continue
    able.push({ user, key: rowRandom(seed, user)() })
  }
  if (able.length === 0) {
    throw new RangeError('No user has items in train and something to find in test: the serving cannot be measured.')
  }
  able.sort((a, b) => a.key - b.key || a.user - b.user)
  return able
    .slice(0, limit)
    .map(({ user }) => user)
    .sort((a, b) => a - b)
}

function rowOf({ csr }: InteractionMatrix, user: number): Uint32Array {
  return csr.indices.subarray(csr.indptr[user], csr.indptr[user + 1])
}

/** Items of a user whose value is above 0. */
export function relevantItems({ csr, codebook }: InteractionMatrix, user: number): Set<number> {
  const items = new Set<number>()
  for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
    if (valueAt(csr, codebook, e) > 0) items.add(csr.indices[e])
  }
  return items
}
