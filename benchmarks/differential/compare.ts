import { LoadError, type LoadedInteractions, type LoadOptions, loadInteractions, planLoad } from '@seesaw/loader'
import type { Case } from './case.ts'
import { type Answer, REFERENCE } from './question.ts'

/** How a load is run; the answer must not depend on it. */
export interface Way {
  readonly threads: number
  /** Through temporary files. */
  readonly spill: boolean
}

/** Whether a load gave the answer: the same, a refusal where one is due, or what differs. */
export type Outcome = 'same' | 'refused' | { readonly difference: string }

/** Loads a case and compares it with the answer. */
export async function compareLoad(
  one: Case,
  paths: readonly (readonly string[])[],
  answer: Answer,
  way: Way,
): Promise<Outcome> {
  const empty =
    answer.userIds.length === 0 || answer.itemIds.length === 0 || (one.thresholds.repeat && answer.users.length === 0)
  const broken = one.sources.find(({ files }) => files.some((file) => file.broken !== undefined))
  let loaded: LoadedInteractions
  try {
    loaded = await loadInteractions(await optionsOf(one, paths, way))
  } catch (error) {
    if (broken !== undefined && error instanceof LoadError && error.code === 'ids') {
      return isNamed(error, broken.user) ? 'refused' : { difference: `refused for another column: ${error}` }
    }
    if (empty && error instanceof LoadError && error.message.startsWith('Nothing is left')) return 'same'
    if (isUnreadable(one, error)) return 'refused'
    return { difference: `the load failed: ${error}` }
  }
  if (broken !== undefined) return { difference: 'an id that cannot be held was taken' }
  if (empty) return { difference: `nothing should be left, the load gives ${loaded.matrix.entries} entries` }
  if (loaded.plan.spill !== way.spill) {
    return { difference: `the load ${way.spill ? 'kept' : 'did not keep'} to memory` }
  }
  const difference = compare(one, loaded, answer)
  return difference === undefined ? 'same' : { difference }
}

/** An error has the name of the file, whose case may be another than what was asked for. */
function isNamed({ column }: LoadError, asked: string): boolean {
  return column?.toLowerCase() === asked.toLowerCase()
}

/**
 * DuckDB packs the differences of a UINTEGER in more than 32 bits with PARQUET_VERSION V2; readers of Arrow, pyarrow among
 * them, refuse such a file.
 */
function isUnreadable({ sources }: Case, error: unknown): boolean {
  if (!(error instanceof LoadError) || !error.message.includes('in more than 32 bits')) return false
  return sources.some(({ user, item, files }) =>
    files.some(({ userType, itemType, writer }) => {
      const type = isNamed(error, user) ? userType : isNamed(error, item) ? itemType : undefined
      return writer.program === 'duckdb' && writer.version === 'V2' && type?.name === 'UINTEGER'
    }),
  )
}

async function optionsOf(
  one: Case,
  paths: readonly (readonly string[])[],
  { threads, spill }: Way,
): Promise<LoadOptions> {
  const options: LoadOptions = {
    sources: one.sources.map(({ name, user, item, confidence, time }, s) => ({
      name,
      files: paths[s],
      user,
      item,
      confidence: confidence.option,
      time: time && {
        column: time.column.name,
        unit: time.unit,
        since: time.since,
        until: time.until,
        halfLifeDays: time.halfLifeDays,
        reference: time.halfLifeDays === undefined ? undefined : (time.until ?? REFERENCE),
      },
    })),
    thresholds: one.thresholds,
    merge: one.merge,
    threads,
  }
  if (!spill) return options
  const { memory } = await planLoad(options)
  // A little more than the least: the ids, and 8,192 rows of at most 20 bytes a thread.
  return { ...options, memoryBudget: memory.ids + threads * 8192 * 20 * 1.05 }
}

function compare(
  one: Case,
  { matrix, userIds, itemIds, stats }: LoadedInteractions,
  answer: Answer,
): string | undefined {
  for (const [s, [rows, counted]] of answer.rows.entries()) {
    const found = stats.sources[s]
    if (found.rows !== rows || found.counted !== counted) {
      return `source ${s}: ${found.counted} of ${found.rows} rows count, expected ${counted} of ${rows}`
    }
  }
  for (const [side, ids, expected] of [
    ['users', userIds, answer.userIds],
    ['items', itemIds, answer.itemIds],
  ] as const) {
    if (ids.length !== expected.length) return `${ids.length} ${side}, expected ${expected.length}`
    for (let row = 0; row < expected.length; row++) {
      if (ids.at(row) !== expected[row]) return `${side}: row ${row} is ${ids.at(row)}, expected ${expected[row]}`
    }
  }
  if (matrix.entries !== answer.users.length) return `${matrix.entries} entries, expected ${answer.users.length}`
  const exact =
    one.merge !== 'sum' && one.sources.every((s) => s.confidence.exact && s.time?.halfLifeDays === undefined)
  const { csr, csc, codebook } = matrix
  const confidenceOf = (values: ArrayLike<number>, e: number) =>
    codebook === undefined ? values[e] : codebook[values[e]]
  const seen = Float64Array.from(csc.indptr)
  for (let user = 0; user < matrix.users; user++) {
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      const item = csr.indices[e]
      const found = [userIds.at(user), itemIds.at(item), confidenceOf(csr.values, e)]
      const expected = [answer.users[e], answer.items[e], answer.confidences[e]]
      const off = Math.abs((found[2] as number) / answer.confidences[e] - 1)
      if (found[0] !== expected[0] || found[1] !== expected[1] || !(off <= (exact ? 0 : 2 ** -22))) {
        return `entry ${e} is ${found.join(', ')}, expected ${expected.join(', ')}`
      }
      const at = seen[item]++
      if (csc.indices[at] !== user || csc.values[at] !== csr.values[e]) return `entry ${e} is another in the transpose`
    }
  }
  return undefined
}
