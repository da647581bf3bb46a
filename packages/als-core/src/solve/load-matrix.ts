import { padFactors } from './layout.ts'
import type { Workbench } from './workbench.ts'

/** Puts a k×k matrix where the kernel's products read it, by way of the first thread's scratch. */
export function loadMatrix({ share, kernel, options }: Workbench, matrix: Float64Array, at: number): void {
  const { layout, memory } = share
  const staging = layout.scratch + layout.areas.square
  new Float32Array(memory.buffer).set(padMatrix(matrix, options.factors), staging / 4)
  kernel.packPanels(staging, layout.padded, at)
}

/** A k×k matrix in float32, rows and columns padded with zeros. */
function padMatrix(matrix: Float64Array, k: number): Float32Array {
  const width = padFactors(k)
  const out = new Float32Array(width * width)
  for (let i = 0; i < k; i++) for (let j = 0; j < k; j++) out[i * width + j] = matrix[i * k + j]
  return out
}
