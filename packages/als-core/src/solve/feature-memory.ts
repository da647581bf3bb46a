import * as featureBytes from '../kernel/features.wasm.ts'
import { compileKernel, type KernelMemory, type KernelModule, type KernelName } from '../kernel/instantiate.ts'
import { BLOCK_ROWS } from './layout.ts'

/**
 * The memory in which a fit gathers: Z, E or T, and a scratch area for each thread. Nothing else of the map is read row by row
 * from anywhere, so the other arrays are outside, and come by in blocks of rows.
 *
 * A memory ends at 4 GiB. Those of more features and rows than that are in several, of some of the columns each.
 */
export interface FeatureSlab {
  readonly module: KernelModule
  readonly memory: KernelMemory
  /** The first column of the slab, and their number, a multiple of 8. */
  readonly first: number
  readonly width: number
  /** Addresses of Z (features with evidence × width) and of E or T (rows × width). */
  readonly gradient: number
  readonly products: number
  readonly scratch: number
  readonly scratchBytes: number
  readonly areas: FeatureAreas
}

/** Offsets within a scratch area. */
interface FeatureAreas {
  /** Rows that are gathered, and rows of two arrays outside. */
  readonly block: number
  readonly rows: number
  readonly steps: number
  /** A number for each row of a block: λ, or 1/m. */
  readonly scales: number
  /** α and β, by column. */
  readonly lengths: number
  /** Sums by column over a block, and over a shard. */
  readonly sums: number
  readonly totals: number
  readonly indptr: number
  readonly indices: number
  readonly values: number
}

/** Most sums by column that a pass makes. */
const SUMS = 5
/** Most entries of a block of rows; a longer row comes in pieces. */
export const GATHERED_ENTRIES = 8192

/** Plans the memories of a map, each below `limit` bytes, and makes them. */
export function makeFeatureSlabs(
  { features, rows, padded }: { features: number; rows: number; padded: number },
  threads: number,
  limit: number,
  kernel?: KernelName,
): FeatureSlab[] {
  const module = compileKernel(featureBytes, kernel)
  const slabs: FeatureSlab[] = []
  for (const width of widthsOf({ features, rows, padded }, threads, limit)) {
    const first = slabs.reduce((sum, slab) => sum + slab.width, 0)
    const { totalBytes, ...places } = placeSlab({ features, rows, padded: width }, threads)
    const pages = Math.ceil(totalBytes / 65_536)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    slabs.push({ module, memory, first, width, ...places })
  }
  return slabs
}

/** Bytes of the scratch areas of all threads. */
export function featureScratch(padded: number, threads: number): number {
  return placeSlab({ features: 0, rows: 0, padded }, threads).totalBytes
}

/** As few slabs as there can be, of widths that differ by eight columns at most. */
function widthsOf(
  { features, rows, padded }: { features: number; rows: number; padded: number },
  threads: number,
  limit: number,
): number[] {
  const eights = padded / 8
  for (let count = 1; ; count++) {
    const widest = 8 * Math.ceil(eights / count)
    const { totalBytes } = placeSlab({ features, rows, padded: widest }, threads)
    if (totalBytes > limit - 65_536 && count < eights) continue
    return Array.from({ length: count }, (_, s) => 8 * (ceilOf(eights, s + 1, count) - ceilOf(eights, s, count)))
  }
}

function ceilOf(eights: number, slabs: number, count: number): number {
  return Math.ceil((eights * slabs) / count)
}

function placeSlab(
  { features, rows, padded }: { features: number; rows: number; padded: number },
  threads: number,
): Pick<FeatureSlab, 'gradient' | 'products' | 'scratch' | 'scratchBytes' | 'areas'> & { totalBytes: number } {
  const stride = 4 * padded
  let end = 0
  const take = (bytes: number): number => {
    const at = end
    end += Math.ceil(bytes / 64) * 64
    return at
  }
  const areas = {
    block: take(BLOCK_ROWS * stride),
    rows: take(BLOCK_ROWS * stride),
    steps: take(BLOCK_ROWS * stride),
    scales: take(4 * BLOCK_ROWS),
    lengths: take(2 * stride),
    sums: take(SUMS * stride),
    totals: take(2 * SUMS * stride),
    indptr: take(4 * (BLOCK_ROWS + 1)),
    indices: take(4 * GATHERED_ENTRIES + 64),
    values: take(4 * GATHERED_ENTRIES + 64),
  }
  const scratchBytes = end
  end = 65_536
  const scratch = take(threads * scratchBytes)
  const gradient = take(features * stride)
  const products = take(rows * stride)
  return { gradient, products, scratch, scratchBytes, areas, totalBytes: end }
}
