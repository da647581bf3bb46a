import { compileKernel } from '../kernel/instantiate.ts'
import * as solverBytes from '../kernel/solve.wasm.ts'
import { type DenseKernel, openDenseKernel } from '../linear-algebra/dense-kernel.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { PhaseSeconds } from '../model/als-model.ts'
import type { ModelOptions } from '../model/options.ts'
import type { RunShardsOptions } from '../pool/run-shards.ts'
import { sharedFloat64, sharedUint32 } from '../pool/shared-arrays.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { type KeptRows, makeKeptRows } from './kept-rows.ts'
import { type KernelShare, type SolverKernel, viewKernel } from './kernel-view.ts'
import { bytesPerFactor, MEMORY_LIMIT, planLayout } from './layout.ts'
import { maxGramShards, SHARD_ROWS } from './plan-shards.ts'

/** Z, outside the kernel's memory. */
export interface OutsideRows {
  readonly rows: Uint8Array<SharedArrayBuffer>
  /** Per row, when Z is int8: the bits of its codes' scale, as in its record. */
  readonly scales: Uint32Array<SharedArrayBuffer>
}

/** What the half-sweeps of one training share. */
export interface Workbench {
  readonly pool: WorkerPool
  readonly options: ModelOptions
  readonly share: KernelShare
  /** The kernel on this thread, for the small k×k preparations. */
  readonly kernel: SolverKernel
  /** Float64 algebra on k×k matrices, on this thread. */
  readonly dense: DenseKernel
  /** Whether Z is int8. */
  readonly quantized: boolean
  /** Z, when it does not fit the kernel's memory. */
  readonly outside?: OutsideRows
  readonly codebook?: Float32Array<SharedArrayBuffer>
  /** Gram matrices of shards of rows, padded × padded each. */
  readonly partials: Float64Array<SharedArrayBuffer>
  /** Of the shards under way. */
  readonly kept: KeptRows
  readonly running: RunShardsOptions
  /** Called when a phase begins. */
  onPhase?: (phase: keyof PhaseSeconds) => void
}

/**
 * Allocates the shared memory and compiles the kernel. A fixed side that does not fit below `memoryLimit` bytes is stored
 * outside of the kernel's memory. `features`: the larger number of features of the two sides.
 */
export function openWorkbench(
  matrix: InteractionMatrix,
  options: ModelOptions,
  pool: WorkerPool,
  signal: AbortSignal | undefined,
  memoryLimit: number = MEMORY_LIMIT,
  features = 0,
): Workbench {
  const rows = options.solver === 'cg' ? Math.max(matrix.users, matrix.items) : 0
  const bytes = bytesPerFactor(options.gatherPrecision, options.factors, rows)
  const layout = planLayout(options.factors, rows, bytes, pool.threads, memoryLimit)
  const pages = Math.ceil(layout.totalBytes / 65_536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const share = { module: compileKernel(solverBytes, options.kernel), memory, layout }
  if (matrix.codebook) new Float32Array(memory.buffer).set(matrix.codebook, layout.codebook / 4)
  return {
    pool,
    options,
    share,
    quantized: bytes === 1,
    kernel: viewKernel(share, 0).kernel,
    dense: openDenseKernel(options.factors, { kernel: options.kernel, pool, signal }),
    ...(layout.outside && {
      outside: {
        rows: new Uint8Array(new SharedArrayBuffer(rows * layout.padded * bytes)),
        scales: sharedUint32(rows),
      },
    }),
    ...(matrix.codebook && { codebook: matrix.codebook }),
    partials: sharedFloat64(options.solver === 'cg' ? maxGramShards(options.factors) * layout.padded ** 2 : 0),
    kept: makeKeptRows(
      pool.threads,
      Math.min(SHARD_ROWS, (features > 0 ? 2 : 1) * Math.max(matrix.users, matrix.items, features)),
      layout.padded,
    ),
    running: { signal },
  }
}
