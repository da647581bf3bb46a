import type { CompressedRows, InteractionMatrix } from './interaction-matrix.ts'

/** The value of entry `entry` of compressed rows, looked up where the values are codes of a codebook. */
export function valueAt(
  { values }: Pick<CompressedRows, 'values'>,
  codebook: Float32Array | undefined,
  entry: number,
): number {
  return codebook ? codebook[values[entry]] : values[entry]
}

/** Number of entries per item. */
export function countInteractions({ csc, items }: Pick<InteractionMatrix, 'csc' | 'items'>): Uint32Array {
  return Uint32Array.from({ length: items }, (_, item) => csc.indptr[item + 1] - csc.indptr[item])
}
