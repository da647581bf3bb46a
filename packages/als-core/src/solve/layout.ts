import type { ModelOptions } from '../model/options.ts'

/** Addresses in the kernel's shared memory, in bytes. */
export interface Layout {
  /** Rows of Z; 0 when they are outside. */
  readonly fixed: number
  /** The record of each row of the fixed side: the address of its row of Z, and of int8 codes the scale; 0 when Z is outside. */
  readonly records: number
  /** The k×k matrix W, which brings the fixed side to the new basis, packed in panels. */
  readonly transform: number
  /** The k×k matrix R, which brings the previous solution to where the rows start, packed in panels. */
  readonly restart: number
  /** The k×k matrix Pᵀ, which brings priors to the basis of the solution, packed in panels. */
  readonly prior: number
  readonly codebook: number
  /** Two vectors, see `Basis`. */
  readonly diagonal: number
  /** The first thread's scratch area; the others follow, `scratchBytes` each. */
  readonly scratch: number
  readonly scratchBytes: number
  readonly areas: ScratchAreas
  readonly totalBytes: number
  /** Factors padded to a multiple of 8. */
  readonly padded: number
  /** Rows of a tile. */
  readonly tileRows: number
  /** Whether Z is outside of this memory, in a SharedArrayBuffer of its own. */
  readonly outside: boolean
}

/** Offsets within a scratch area. */
export interface ScratchAreas {
  /** Rows that a product makes or that are solved, BLOCK_ROWS at a time; for a Gram product, its input in panels. */
  readonly block: number
  /** Rows that a product reads. */
  readonly source: number
  /** The records of rows of a Z outside. */
  readonly rowRecords: number
  /** Columns and values of the entries of a block, as they are in the matrix. */
  readonly indices: number
  readonly values: number
  /** Weight and target of each code. */
  readonly codeTerms: number
  /** The record of each entry's column, and its weight and target. */
  readonly records: number
  readonly weights: number
  readonly indptr: number
  readonly lambda: number
  /** What rows are regularised towards, BLOCK_ROWS at a time. */
  readonly priors: number
  readonly losses: number
  readonly steps: number
  readonly vectors: number
  readonly chunk: number
  readonly tile: number
  /** k×k in float32: the Gram matrix of a shard's rows, or a matrix on its way to panels. */
  readonly square: number
}

/** Rows solved or multiplied at a time; a multiple of the six of a product's inner loop. */
export const BLOCK_ROWS = 96
/** Entries whose rows of Z are gathered together: CHUNK of assembly/solve/gather.ts. */
const CHUNK = 64
/** Maximum number of entries of a block of rows; a longer row is streamed in pieces. */
export const BLOCK_ENTRIES = 32_768
/**
 * A long row that fits the tile is gathered once, however many passes follow, and those read it in order. Measured at k = 128
 * on rows of 40,000 entries: 104 ns per entry and two passes in the tile, 233 when every pass gathers again.
 */
const TILE_BYTES = 16 * 1024 * 1024
/** A 32-bit WebAssembly memory. */
export const MEMORY_LIMIT: number = 2 ** 32

/** Bytes per factor of the fixed side's copy; `rows` is the number of rows of the larger side. */
export function bytesPerFactor(precision: ModelOptions['gatherPrecision'], factors: number, rows: number): 1 | 4 {
  if (precision === 'auto') return rows * padFactors(factors) >= 2_500_000 ? 1 : 4
  return precision === 'int8' ? 1 : 4
}

/** k padded to a multiple of 8, which is 32 bytes of float32. */
export function padFactors(factors: number): number {
  return Math.ceil(factors / 8) * 8
}

/**
 * Lays out the memory for a fixed side of up to `rows` rows of `bytes` bytes per factor. When Z does not fit below `limit` it is
 * stored outside, and its rows are copied in as they are needed.
 */
export function planLayout(
  factors: number,
  rows: number,
  bytes: 1 | 4,
  threads: number,
  limit: number = MEMORY_LIMIT,
): Layout {
  const padded = padFactors(factors)
  const tileRows = Math.max(
    16,
    Math.min(BLOCK_ENTRIES, Math.ceil(rows / 4) * 4, Math.floor(TILE_BYTES / (padded * bytes)) & ~3),
  )
  const vector = padded * 4
  const square = padded * vector

  let end = 0
  const take = (bytes: number): number => {
    const at = end
    end += Math.ceil(bytes / 64) * 64
    return at
  }
  const areas: ScratchAreas = {
    block: take(BLOCK_ROWS * vector),
    source: take(BLOCK_ROWS * vector),
    rowRecords: take(BLOCK_ROWS * 8),
    indices: take(BLOCK_ENTRIES * 4 + 64),
    values: take(BLOCK_ENTRIES * 4 + 64),
    codeTerms: take(256 * 8),
    records: take(BLOCK_ENTRIES * 8 + 64),
    weights: take(BLOCK_ENTRIES * 8 + 64),
    indptr: take((BLOCK_ROWS + 1) * 4),
    lambda: take(BLOCK_ROWS * 4),
    priors: take(BLOCK_ROWS * vector),
    losses: take(BLOCK_ROWS * 24),
    steps: take(4),
    vectors: take(8 * vector),
    chunk: take(CHUNK * (vector + 8) + 32),
    tile: take(tileRows * padded * bytes),
    square: take(square),
  }
  const scratchBytes = end
  const sideBytes = rows * (padded * bytes + 8)

  end = 65_536
  const transform = take(square)
  const restart = take(square)
  const prior = take(square)
  const codebook = take(256 * 4)
  const diagonal = take(2 * vector)
  const outside = end + scratchBytes * threads + sideBytes > limit - 65_536
  const scratch = take(scratchBytes * threads)
  const records = outside ? 0 : take(rows * 8)
  const fixed = outside ? 0 : take(rows * padded * bytes + 32)
  return {
    fixed,
    records,
    transform,
    restart,
    prior,
    codebook,
    diagonal,
    scratch,
    scratchBytes,
    areas,
    totalBytes: end,
    padded,
    tileRows,
    outside,
  }
}
