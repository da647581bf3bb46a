import { type ShardBoard, takeShards } from '../pool/run-shards.ts'

/** Rotations or reflections to apply to eigenvectors; addresses are in the dense kernel's memory. */
export interface EigenSlices {
  /** Order of the matrices, and doubles of a row. */
  readonly k: number
  readonly stride: number
  /** The vectors before and after. */
  readonly from: number
  readonly to: number
  readonly reflections: number
  readonly work: number
  readonly rotations: number
  /** Number of rotations; 0: the reflections are applied. */
  readonly count: number
}

/** What `assembly/dense.ts` exports for slices. */
export interface EigenKernel {
  applyRotations(
    from: number,
    to: number,
    n: number,
    stride: number,
    rotations: number,
    count: number,
    slice: number,
  ): void
  applyReflections(from: number, to: number, n: number, stride: number, a: number, work: number, slice: number): void
}

/** Columns (rotations) or rows (reflections) of a slice, as in `assembly/dense.ts`. */
export const SLICE = 32

export interface EigenTask extends EigenSlices {
  readonly board: ShardBoard
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
}

/** Worker task: the slices that this thread takes. */
export function eigenShards({ board, module, memory, ...slices }: EigenTask): void {
  const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as EigenKernel
  for (const slice of takeShards(board)) applySlice(kernel, slices, slice)
}

export function applySlice(kernel: EigenKernel, slices: EigenSlices, slice: number): void {
  const { k, stride, from, to, reflections, work, rotations, count } = slices
  if (count > 0) kernel.applyRotations(from, to, k, stride, rotations, count, slice)
  else kernel.applyReflections(from, to, k, stride, reflections, work, slice)
}
