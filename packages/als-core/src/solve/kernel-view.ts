import type { KernelMemory, KernelModule } from '../kernel/instantiate.ts'
import type { Triangle } from '../linear-algebra/dense-kernel.ts'
import type { Layout } from './layout.ts'

/** What a product may leave out of W: see assembly/solve/product.ts. */
export const FULL = 0
export const TRIANGLES: Record<Triangle, number> = { lower: 1, upper: 2 }

/** The kernel's exports; every argument is a byte address, a count or a number (see assembly/). */
export interface SolverKernel {
  gram(a: number, rows: number, k: number, panels: number, out: number): void
  packPanels(w: number, k: number, packed: number): void
  multiply(a: number, rows: number, k: number, packed: number, triangle: number, c: number): void
  weighRows(a: number, rows: number, k: number, lambda: number): number
  encodeRows(from: number, rows: number, k: number, records: number): void
  scatterRows(from: number, rows: number, bytes: number, records: number): void
  setFixedSide(z: number, records: number, format: number, k: number): void
  setScratch(records: number, weights: number, tile: number, tileRows: number, vectors: number, chunk: number): void
  setCapacity(entries: number): void
  lookUpRecords(indices: number, count: number): void
  weighValues(values: number, count: number, alpha: number, shift: number): void
  weighCodebook(codebook: number, alpha: number, shift: number, table: number): void
  weighCodes(codes: number, count: number, table: number): void
  solveRows(
    rows: number,
    indptr: number,
    block: number,
    diagonal: number,
    lambda: number,
    priors: number,
    warm: number,
    resident: number,
    tolerance: number,
    maxSteps: number,
    losses: number,
    steps: number,
  ): number
}

/** The kernel in a thread: an instance over the shared memory, views of it, and this thread's scratch area. */
export interface KernelView {
  readonly kernel: SolverKernel
  readonly layout: Layout
  readonly f32: Float32Array
  readonly f64: Float64Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
  readonly u8: Uint8Array
  /** Address of an area of this thread's scratch. */
  at(area: keyof Layout['areas']): number
}

/** What the main thread sends for a thread to make its view. */
export interface KernelShare {
  readonly module: KernelModule
  readonly memory: KernelMemory
  readonly layout: Layout
}

export interface KernelImports {
  fetchEntries(start: number, count: number): void
  fetchRows(start: number, count: number, to: number): void
}

/**
 * Instantiates the kernel in this thread. Not kept from call to call: it takes a fraction of a millisecond, since the
 * compiled code is shared, and nothing of a training outlives it in a pool's threads.
 */
export function viewKernel({ module, memory, layout }: KernelShare, slot: number, imports?: KernelImports): KernelView {
  const env = { memory, fetchEntries: unexpected, fetchRows: unexpected, ...imports }
  const kernel = new WebAssembly.Instance(module, { env }).exports as unknown as SolverKernel
  const { buffer } = memory
  const scratch = layout.scratch + slot * layout.scratchBytes
  return {
    kernel,
    layout,
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
    u32: new Uint32Array(buffer),
    i32: new Int32Array(buffer),
    u8: new Uint8Array(buffer),
    at: (area) => scratch + layout.areas[area],
  }
}

function unexpected(): never {
  throw new Error('The kernel asked for data that it was given.')
}
