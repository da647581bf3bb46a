// What a ranking works on: an index, and a block of queries that share one pass over it.

export let coarse: usize, fine: usize, bounds: usize, norms: usize, rows: usize, penalties: usize, mask: usize;
export let items: i32, width: i32;
export let queries: usize, candidates: usize, scratch: usize;
export let capacity: i32, limit: i32;

/**
 * The index: coarse panels, fine codes, bounds of panels (see encode.ts), norms (0: all are one, for cosine) and row numbers
 * by position, penalties by position and one bit for each allowed position (0: none); `width` is the factors rounded up to
 * a multiple of 16.
 */
export function setIndex(
  coarse_: usize, fine_: usize, bounds_: usize, norms_: usize, rows_: usize, penalties_: usize, mask_: usize, items_: i32, width_: i32,
): void {
  coarse = coarse_; fine = fine_; bounds = bounds_; norms = norms_; rows = rows_; penalties = penalties_; mask = mask_;
  items = items_; width = width_;
}

/**
 * Room for a block: 3·width + 64 bytes per query, `capacity` candidates of 16 bytes per query, and scratch of 16·width + 41,600
 * bytes (see screen.ts: 160 for each of 256 panels); `limit` is the length of the lists.
 */
export function setBlock(queries_: usize, candidates_: usize, scratch_: usize, capacity_: i32, limit_: i32): void {
  queries = queries_; candidates = candidates_; scratch = scratch_; capacity = capacity_; limit = limit_;
}

/** f·g of two equal directions (see encode.ts): the unit of thresholds. */
// @ts-ignore: decorator
@inline export const ONE: f32 = 32767 * 32767;
/** Bytes of a query's state; its codes, fine then coarse, follow it. */
// @ts-ignore: decorator
@inline export const QUERY_BYTES: usize = 64;

@unmanaged
export class Query {
  /** In units of |x|/32767²: an item that scores less is not among the best. */
  threshold: f32;
  /** Whether `limit` candidates are known to reach the threshold: one that was guessed may be too high. */
  isProven: bool;
  /** E: how far f·g may be from the score of an item of norm one. */
  error: f32;
  /** Weight of the penalties. */
  weight: f32;
  /** Number of candidates, or -1 where too many items tie. */
  filled: i32;
  /** Number of candidates that are too many: time to settle. */
  due: i32;
  /** Candidates, 16 bytes each; see candidates.ts. */
  candidates: usize;
  /** The ascending list of rows to leave out. */
  excludedFrom: usize;
  excludedTo: usize;
  /** Addresses of the codes. */
  fine: usize;
  coarse: usize;
  /** Of the coarse codes c: scale s, |c - s·v/|v||, |c|. */
  scale: f32;
  coarseError: f32;
  coarseNorm: f32;
  /** 32767²/s. */
  coarseUnit: f32;
  /** Keeps the compiler from dropping reads that only fetch lines. */
  touched: u8;
}

@inline export function queryAt(q: i32): Query {
  return changetype<Query>(queries + <usize>q * (QUERY_BYTES + 3 * <usize>width));
}
