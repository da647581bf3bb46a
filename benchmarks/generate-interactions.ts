/**
 * Seeded matrices of interactions: items by a Zipf law, users' activity log-normal, values from {1.5, 2, 3, 4, 5}.
 *
 * The same seed gives the same matrix whatever the number of threads: the lengths of all rows are drawn first, then
 * every block of rows is filled from a stream of random numbers of its own.
 */
import { availableParallelism } from 'node:os'
import type { CompressedRows, InteractionMatrix } from '@seesaw/als-core'
import { randomLogNormal } from 'd3-random'
import { Piscina } from 'piscina'
import { randomStream } from './random-stream.ts'

export interface MatrixSize {
  users: number
  items: number
  entries: number
}

/** The matrices the solver is measured on; N1 to N16 have the same users and items and more and more entries. */
export const sizes: Record<'S' | 'M' | 'L' | '1B' | 'N1' | 'N2' | 'N4' | 'N8' | 'N16', MatrixSize> = {
  S: { users: 50_000, items: 20_000, entries: 2_500_000 },
  M: { users: 400_000, items: 100_000, entries: 20_000_000 },
  L: { users: 2_000_000, items: 500_000, entries: 200_000_000 },
  '1B': { users: 3_000_000, items: 1_000_000, entries: 1_000_000_000 },
  N1: { users: 100_000, items: 40_000, entries: 1_000_000 },
  N2: { users: 100_000, items: 40_000, entries: 2_000_000 },
  N4: { users: 100_000, items: 40_000, entries: 4_000_000 },
  N8: { users: 100_000, items: 40_000, entries: 8_000_000 },
  N16: { users: 100_000, items: 40_000, entries: 16_000_000 },
}

/** The values of a generated matrix, equally likely. The matrix holds one-byte places in this list. */
export const interactionValues: Float32Array<SharedArrayBuffer> = shared(Float32Array<SharedArrayBuffer>, 5)
interactionValues.set([1.5, 2, 3, 4, 5])

/** The logarithm of the users' activity has this standard deviation: the busiest 10 % hold 39 % of the entries. */
const activitySpread = 1

/** Users are filled in blocks of this many, each from its own stream of random numbers. */
const blockOfUsers = 1024

/** What a worker is asked: draw the items of users [from, to), or collect the entries of items [from, to). */
export interface GeneratorTask {
  step: 'draw' | 'transpose'
  from: number
  to: number
  seed: number
  csr: CompressedRows
  csc: CompressedRows
  /** Entries of each item: counted by `draw`. */
  counts: Uint32Array<SharedArrayBuffer>
}

/** Generates a matrix straight into its final arrays: 10 bytes an entry, and nothing else that grows with entries. */
export async function generateInteractions(size: MatrixSize, seed = 1): Promise<InteractionMatrix> {
  const { users, items, entries } = size
  const csr = emptyRows(users, entries)
  const csc = emptyRows(items, entries)
  const counts = shared(Uint32Array<SharedArrayBuffer>, items)
  const threads = availableParallelism()
  const pool = new Piscina<GeneratorTask, void>({
    filename: new URL('./generate-interactions-worker.ts', import.meta.url).href,
    maxThreads: threads,
  })
  const run = (step: GeneratorTask['step'], ranges: number[]) =>
    Promise.all(ranges.slice(1).map((to, i) => pool.run({ step, from: ranges[i], to, seed, csr, csc, counts })))
  try {
    drawActivity(csr.indptr, size, seed)
    const blocks = Math.ceil(users / blockOfUsers)
    await run(
      'draw',
      Array.from({ length: blocks + 1 }, (_, block) => Math.min(users, block * blockOfUsers)),
    )
    for (let item = 0; item < items; item++) csc.indptr[item + 1] = csc.indptr[item] + counts[item]
    await run('transpose', equalShares(csc.indptr, threads))
    return { users, items, entries, csr, csc, codebook: interactionValues }
  } finally {
    await pool.destroy()
  }
}

/** Row offsets of log-normal lengths that add up to `entries` exactly; the tail is cut at about a quarter of the items. */
function drawActivity(indptr: Float64Array, { users, items, entries }: MatrixSize, seed: number): void {
  const activity = randomLogNormal.source(randomStream(seed, 0))(0, activitySpread)
  const most = (items / 4) * (users / entries)
  let total = 0
  for (let user = 0; user < users; user++)
    indptr[user + 1] = total += Math.min(activity() / Math.exp(activitySpread ** 2 / 2), most)
  for (let user = 1; user <= users; user++) indptr[user] = Math.round((indptr[user] / total) * entries)
}

/** Cuts rows into `parts` runs of about equally many entries. */
function equalShares(indptr: Float64Array, parts: number): number[] {
  const rows = indptr.length - 1
  const cuts = Array.from({ length: parts - 1 }, (_, part) =>
    indptr.findIndex((offset) => offset >= (indptr[rows] * (part + 1)) / parts),
  )
  return [0, ...cuts, rows]
}

function emptyRows(rows: number, entries: number): CompressedRows {
  return {
    indptr: shared(Float64Array<SharedArrayBuffer>, rows + 1),
    indices: shared(Uint32Array<SharedArrayBuffer>, entries),
    values: shared(Uint8Array<SharedArrayBuffer>, entries),
  }
}

function shared<T>(type: { new (buffer: SharedArrayBuffer): T; BYTES_PER_ELEMENT: number }, length: number): T {
  return new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT))
}
