import { positiveInteger } from '../checks/values.ts'
import { valueAt } from '../matrix/entries.ts'
import { matrixFromCsr } from '../matrix/from-csr.ts'
import { matrixFromTriplets, type Triplets } from '../matrix/from-triplets.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { type NumericArray, toNumbers } from '../matrix/numbers.ts'
import { selectEntries, withoutPairsOf } from '../matrix/select-entries.ts'
import { rowRandom } from './row-random.ts'

/** Two matrices of the same shape without a common pair, that together hold every entry of their source. */
export interface Split {
  train: InteractionMatrix
  test: InteractionMatrix
}

export interface SplitOptions {
  /** Decides the split, whatever the number of threads or the order of calls. Default 42. */
  seed?: number
}

/**
 * Moves `k` entries of each user, drawn evenly, to the test side. A user with k entries or fewer keeps them all for
 * training.
 */
export function leaveKOut(matrix: InteractionMatrix, k: number, { seed = 42 }: SplitOptions = {}): Split {
  positiveInteger('k', k)
  return divide(matrix, (user, entries) => {
    const chosen = new Uint8Array(entries)
    if (entries > k) for (const entry of draw(entries, k, seed, user)) chosen[entry] = 1
    return chosen
  })
}

/** Moves each entry to the test side with probability `ratio`, independently. */
export function splitRandomly(matrix: InteractionMatrix, ratio: number, { seed = 42 }: SplitOptions = {}): Split {
  checkRatio('ratio', ratio)
  return divide(matrix, (user, entries) => {
    const random = rowRandom(seed, user)
    return Uint8Array.from({ length: entries }, () => (random() < ratio ? 1 : 0))
  })
}

/** A matrix and when each of its entries happened, in the order of `matrix.csr`: what `loadInteractions` gives with `keepTimes`. */
export interface TimedMatrix {
  readonly matrix: InteractionMatrix
  /** In milliseconds since 1970, for moments that are a Date. */
  readonly times?: NumericArray
}

/**
 * Trains on what happened before a moment and tests on what happened from then on: entries of a matrix whose times are
 * known, or triplets.
 *
 * `times` say when each entry of the triplets happened, in any unit; `moment` is in the same unit, or a Date for milliseconds
 * since 1970.
 */
export function splitByTime(data: TimedMatrix, moment: Date | number | bigint): Split
export function splitByTime(triplets: Triplets, times: NumericArray, moment: Date | number | bigint): Split
export function splitByTime(
  data: TimedMatrix | Triplets,
  ...rest: [Date | number | bigint] | [NumericArray, Date | number | bigint]
): Split {
  const at = rest[rest.length - 1]
  const moment = at instanceof Date ? at.getTime() : (at as number | bigint)
  if ('matrix' in data) {
    if (rest.length === 1 && data.times !== undefined && Number.isFinite(Number(moment))) {
      return splitEntriesByTime(data.matrix, data.times, moment)
    }
    throw new RangeError(
      'splitByTime needs a matrix, the time of each entry and a moment: the load needs `keepTimes: true`. Without times see splitRandomly and leaveKOut.',
    )
  }
  const triplets = data
  const times = rest[0] as NumericArray
  if ('csr' in triplets || rest.length !== 2 || times === undefined || !Number.isFinite(Number(moment))) {
    throw new RangeError(
      'splitByTime needs triplets, the time of each and a moment: the entries of a matrix have no times. Without times see splitRandomly and leaveKOut.',
    )
  }
  const rows = toNumbers(triplets.rows)
  const columns = toNumbers(triplets.columns)
  const values = triplets.values && toNumbers(triplets.values)
  if (times.length !== rows.length) {
    throw new RangeError(`times has ${times.length} entries, expected ${rows.length}, one for each of the triplets.`)
  }
  const side = (later: boolean): InteractionMatrix => {
    const entries: number[] = []
    for (let e = 0; e < rows.length; e++) {
      checkTime(times, e)
      if (times[e] >= moment === later) entries.push(e)
    }
    return matrixFromTriplets({
      ...triplets,
      rows: Uint32Array.from(entries, (e) => rows[e]),
      columns: Uint32Array.from(entries, (e) => columns[e]),
      values: values && Float32Array.from(entries, (e) => values[e]),
    })
  }
  const train = side(false)
  return bothSides({ train, test: withoutPairsOf(train, side(true)) })
}

function splitEntriesByTime(matrix: InteractionMatrix, times: NumericArray, moment: number | bigint): Split {
  if (times.length !== matrix.entries) {
    throw new RangeError(
      `times has ${times.length} entries, expected ${matrix.entries}, one for each entry of the matrix.`,
    )
  }
  for (let e = 0; e < times.length; e++) checkTime(times, e)
  return bothSides({
    train: selectEntries(matrix, (e) => times[e] < moment),
    test: selectEntries(matrix, (e) => times[e] >= moment),
  })
}

function checkTime(times: NumericArray, e: number): void {
  if (!Number.isFinite(Number(times[e]))) throw new RangeError(`times[${e}] is ${times[e]}, expected a finite number.`)
}

export interface HeldOutUsers {
  /** All other users, in `trainUsers` order; the model is trained on these alone. */
  train: InteractionMatrix
  trainUsers: Uint32Array
  /** What is known of the held-out users, in `users` order: fold this in. */
  observed: InteractionMatrix
  /** What is to be found for them. */
  test: InteractionMatrix
  users: Uint32Array
}

/**
 * Strong generalisation: `count` users are not seen in training at all. A share `observed` (default 0.8) of each one's
 * entries is for `foldInUsers`, the rest, at least one entry, to be found. Users with a single entry are not held out.
 */
export function holdOutUsers(
  matrix: InteractionMatrix,
  count: number,
  { observed = 0.8, seed = 42 }: SplitOptions & { observed?: number } = {},
): HeldOutUsers {
  checkRatio('observed', observed)
  const { indptr } = matrix.csr
  const able = Array.from({ length: matrix.users }, (_, user) => user).filter(
    (user) => indptr[user + 1] - indptr[user] > 1,
  )
  if (!(Number.isInteger(count) && count >= 1 && count < matrix.users && count <= able.length)) {
    throw new RangeError(
      `count is ${count}, expected an integer from 1 to ${Math.min(matrix.users - 1, able.length)}: users with at least two entries, and one left to train on.`,
    )
  }
  const users = Uint32Array.from([...draw(able.length, count, seed, matrix.users)].map((place) => able[place])).sort()
  const out = new Set(users)
  const trainUsers = Uint32Array.from({ length: matrix.users }, (_, user) => user).filter((user) => !out.has(user))
  const held = selectUsers(matrix, users)
  const parts = divide(held, (row, entries) => {
    const toFind = Math.min(entries - 1, Math.max(1, Math.round((1 - observed) * entries)))
    const chosen = new Uint8Array(entries)
    for (const entry of draw(entries, toFind, seed, users[row])) chosen[entry] = 1
    return chosen
  })
  return { train: selectUsers(matrix, trainUsers), trainUsers, observed: parts.train, test: parts.test, users }
}

/** Divides each user's entries: 1 for the test side. */
function divide(matrix: InteractionMatrix, choose: (user: number, entries: number) => Uint8Array): Split {
  const { indptr } = matrix.csr
  const chosen = new Uint8Array(matrix.entries)
  for (let user = 0; user < matrix.users; user++)
    chosen.set(choose(user, indptr[user + 1] - indptr[user]), indptr[user])
  return bothSides({
    train: selectEntries(matrix, (e) => chosen[e] === 0),
    test: selectEntries(matrix, (e) => chosen[e] === 1),
  })
}

/** @throws RangeError when a side is empty: there is nothing to train on, or nothing to find */
function bothSides(split: Split): Split {
  for (const [side, { entries }] of Object.entries(split)) {
    if (entries > 0) continue
    const other = side === 'train' ? split.test.entries : split.train.entries
    throw new RangeError(
      `The ${side} side of this split has no entries, the other ${other}: split at another place, or take more data.`,
    )
  }
  return split
}

function selectUsers({ csr, codebook, items }: InteractionMatrix, users: Uint32Array): InteractionMatrix {
  const indptr = new Float64Array(users.length + 1)
  const indices: number[] = []
  const values: number[] = []
  for (let row = 0; row < users.length; row++) {
    for (let e = csr.indptr[users[row]]; e < csr.indptr[users[row] + 1]; e++) {
      indices.push(csr.indices[e])
      values.push(valueAt(csr, codebook, e))
    }
    indptr[row + 1] = indices.length
  }
  return matrixFromCsr({ users: users.length, items, indptr, indices, values })
}

/** `count` distinct numbers below `from`, drawn evenly (Floyd's method). */
export function draw(from: number, count: number, seed: number, stream: number): Set<number> {
  const random = rowRandom(seed, stream)
  const drawn = new Set<number>()
  for (let top = from - count; top < from; top++) {
    const place = Math.floor(random() * (top + 1))
    drawn.add(drawn.has(place) ? top : place)
  }
  return drawn
}

export function checkRatio(name: string, ratio: number): void {
  if (!(ratio > 0 && ratio < 1)) throw new RangeError(`${name} is ${ratio}, expected a number between 0 and 1.`)
}
