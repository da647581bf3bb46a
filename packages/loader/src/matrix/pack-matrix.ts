import type { CompressedRows, InteractionMatrix } from '@seesaw/als-core'

/** The matrix with one-byte codes, if its values are codes or at most 256 different numbers. */
export function packMatrix(
  users: number,
  items: number,
  csr: CompressedRows,
  csc: CompressedRows,
  codebook: Float32Array<SharedArrayBuffer> | undefined,
): InteractionMatrix {
  const shape = { users, items, entries: csr.indices.length }
  if (csr.values instanceof Uint8Array) return { ...shape, csr, csc, codebook }
  const found = distinctValues(csr.values)
  if (found === undefined) return { ...shape, csr, csc }
  const pack = (values: CompressedRows['values']) => {
    const codes = new Uint8Array(new SharedArrayBuffer(values.length))
    let last = Number.NaN
    let code = 0
    for (let e = 0; e < values.length; e++) {
      if (values[e] !== last) {
        last = values[e]
        code = found.indexOf(last)
      }
      codes[e] = code
    }
    return codes
  }
  return {
    ...shape,
    csr: { ...csr, values: pack(csr.values) },
    csc: { ...csc, values: pack(csc.values) },
    codebook: found,
  }
}

function distinctValues(values: Float32Array): Float32Array<SharedArrayBuffer> | undefined {
  const found = new Set<number>()
  let last = Number.NaN
  for (let e = 0; e < values.length; e++) {
    if (values[e] === last) continue
    last = values[e]
    if (found.add(last).size > 256) return undefined
  }
  const codebook = new Float32Array(new SharedArrayBuffer(4 * found.size))
  codebook.set([...found].sort((a, b) => a - b))
  return codebook
}
