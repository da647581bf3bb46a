import { positiveInteger } from '../checks/values.ts'
import { countInteractions } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { selectEntries } from '../matrix/select-entries.ts'
import type { ItemGroup } from './evaluate.ts'
import { rowRandom } from './row-random.ts'
import { checkRatio, draw, type Split, type SplitOptions } from './split.ts'

export interface ColdItemsOptions extends SplitOptions {
  /** Interactions that an item needs to be drawn as new or rare. Default 5: with fewer its figures are noise. */
  minimumInteractions?: number
  /** Share of the warm items' entries that are to be found. Default 0.1. */
  warm?: number
  /** Fraction of the items that are drawn as rare: all but a few of their entries are to be found. Default 0. */
  rare?: number
  /** Entries that a rare item keeps, at most half of its own. Default 5. */
  rareInteractions?: number
  /** Only these items may be drawn as new or rare: those of which something is known. Default: all. */
  among?: ArrayLike<number>
}

export interface ColdItemsSplit extends Split {
  /** Entries of warm items, to train on: rows of rare and new items are empty. Every matrix has the shape of the source. */
  train: InteractionMatrix
  /** The few entries of rare items, for `foldInItems`. */
  rare: InteractionMatrix
  /** Both of these: what is known, which `evaluate` leaves out of the lists. */
  known: InteractionMatrix
  /** What is to be found: entries of all three. */
  test: InteractionMatrix
  /** Rows of the items: warm, rare and new. */
  groups: [warm: ItemGroup, rare: ItemGroup, fresh: ItemGroup]
}

/**
 * Holds out a `fraction` of the items whole, as if nobody had them yet: new items. A tenth of the other items' entries are
 * held out too, to see what warm items lose or gain, and on demand some items keep a few entries only: rare ones.
 *
 * @throws RangeError when a fraction is out of range or leaves nothing to train on
 */
export function splitColdItems(
  matrix: InteractionMatrix,
  fraction: number,
  { minimumInteractions = 5, warm = 0.1, rare = 0, rareInteractions = 5, among, seed = 42 }: ColdItemsOptions = {},
): ColdItemsSplit {
  checkRatio('fraction', fraction)
  checkRatio('warm', warm)
  if (rare !== 0) checkRatio('rare', rare)
  if (!(fraction + rare < 1)) {
    throw new RangeError(`fraction and rare are ${fraction} and ${rare}, expected less than 1 together.`)
  }
  positiveInteger('minimumInteractions', minimumInteractions)
  positiveInteger('rareInteractions', rareInteractions)
  const { csr, items, users } = matrix
  const counts = countInteractions(matrix)
  const candidates = Array.from(among ?? { length: items }, (item, row) => (among ? item : row) as number).filter(
    (item) => counts[item] >= minimumInteractions,
  )
  const news = Math.floor(fraction * candidates.length)
  if (news === 0) {
    throw new RangeError(
      `fraction is ${fraction} of ${candidates.length} items with ${minimumInteractions} interactions, expected at least one item. Lower minimumInteractions, or raise fraction.`,
    )
  }
  const rares = Math.floor(rare * candidates.length)
  const drawn = [...draw(candidates.length, news + rares, seed, items)]
  // Floyd's draw is a set, its order is not random: which of them are rare is drawn by itself.
  const rareOf = draw(drawn.length, rares, seed, items + 1)
  const kind = new Uint8Array(items)
  for (const [n, place] of drawn.entries()) kind[candidates[place]] = rareOf.has(n) ? RARE : NEW

  const keptByRare = keepFew(matrix, kind, rareInteractions, seed)
  const side = new Uint8Array(matrix.entries)
  for (let user = 0; user < users; user++) {
    const random = rowRandom(seed, user)
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      const item = csr.indices[e]
      const isHeld = random() < warm
      if (kind[item] === WARM) side[e] = isHeld ? TEST : TRAIN
      else side[e] = kind[item] === RARE && keptByRare.has(item * users + user) ? FEW : TEST
    }
  }
  const select = (...sides: number[]) => selectEntries(matrix, (e) => sides.includes(side[e]))
  const train = select(TRAIN)
  if (train.entries === 0) throw new RangeError('Nothing is left to train on: lower fraction and warm.')
  const rows = (wanted: number) => Uint32Array.from(kind.keys()).filter((item) => kind[item] === wanted)
  return {
    train,
    rare: select(FEW),
    known: select(TRAIN, FEW),
    test: select(TEST),
    groups: [
      { name: 'warm', items: rows(WARM) },
      { name: 'rare', items: rows(RARE) },
      { name: 'new', items: rows(NEW) },
    ],
  }
}

const [WARM, RARE, NEW] = [0, 1, 2]
const [TRAIN, FEW, TEST] = [0, 1, 2]

/** The pairs item·users + user that rare items keep. */
function keepFew({ csc, items, users }: InteractionMatrix, kind: Uint8Array, few: number, seed: number): Set<number> {
  const kept = new Set<number>()
  for (let item = 0; item < items; item++) {
    if (kind[item] !== RARE) continue
    const from = csc.indptr[item]
    const entries = csc.indptr[item + 1] - from
    const count = Math.min(few, Math.floor(entries / 2))
    for (const entry of draw(entries, count, seed, items + 2 + item)) kept.add(item * users + csc.indices[from + entry])
  }
  return kept
}
