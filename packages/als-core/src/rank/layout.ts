/** Queries that share one pass over the index; what a thread keeps for them is its area. */
export const blockQueries = 128
/** Candidates of a block's queries together, 16 bytes each. */
export const areaCandidates: number = 2 ** 17
/** Rows left out for a block's queries together, 4 bytes each. */
export const areaExcluded: number = 2 ** 18

/** Addresses in the index's memory, in bytes; `assembly/rank/encode.ts` says what is there. */
export interface RankingLayout {
  /** Factors, rounded up to a multiple of 16. */
  readonly width: number
  /** Bytes of eight rows' coarse codes. */
  readonly panelBytes: number
  readonly coarse: number
  readonly fine: number
  readonly bounds: number
  readonly norms: number
  readonly rows: number
  readonly penalties: number
  readonly areas: number
  readonly areaBytes: number
  readonly bytes: number
}

/** Addresses in a thread's area. */
export interface AreaLayout {
  /** One query's vector, or the eight rows that are encoded. */
  readonly vectors: number
  readonly queries: number
  readonly scratch: number
  readonly excluded: number
  readonly candidates: number
  readonly mask: number
  readonly end: number
}

/** @throws RangeError when it would not fit the 4 GiB of a WebAssembly memory: 10 million rows at 128 factors. */
export function planLayout(count: number, k: number, threads: number): RankingLayout {
  const width = Math.ceil(k / 16) * 16
  const panels = Math.ceil(count / 8)
  // 32 bytes for each segment of 128 factors, 8 for each factor.
  const panelBytes = Math.ceil(width / 128) * 32 + width * 8
  const plan = addresses(65_536)
  const coarse = plan(panels * panelBytes)
  const fine = plan(panels * width * 16)
  const bounds = plan(panels * 16)
  const norms = plan(panels * 32)
  const rows = plan(panels * 32)
  const penalties = plan(panels * 32)
  const areaBytes = planArea(0, width, count).end
  const areas = plan(areaBytes * threads)
  const bytes = plan(0)
  if (bytes > 2 ** 32) {
    throw new RangeError(
      `Ranking ${count} rows of ${k} factors takes ${bytes} bytes of WebAssembly memory, expected at most ${2 ** 32}. ` +
        'Use fewer factors, or rank parts of the catalogue and merge their lists.',
    )
  }
  return { width, panelBytes, coarse, fine, bounds, norms, rows, penalties, areas, areaBytes, bytes }
}

export function planArea(area: number, width: number, count: number): AreaLayout {
  const plan = addresses(area)
  const vectors = plan(32 * width)
  const queries = plan(blockQueries * (64 + 3 * width))
  // See setBlock in assembly/rank/block.ts.
  const scratch = plan(16 * width + 41_600)
  const excluded = plan(4 * areaExcluded)
  const candidates = plan(16 * areaCandidates)
  const mask = plan(Math.ceil(count / 8))
  return { vectors, queries, scratch, excluded, candidates, mask, end: plan(0) }
}

/** Allocates consecutive addresses, each at the start of a cache line. */
function addresses(next: number): (size: number) => number {
  return (size) => {
    const at = next
    next += Math.ceil(size / 64) * 64
    return at
  }
}
