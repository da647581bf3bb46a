/**
 * Row numbers in descending order of norm, equal norms in ascending order of row: a radix sort on the bits of the (non-negative) float32, three
 * digits of 11 bits, O(rows).
 */
export function orderByNorm(norms: Float32Array): Uint32Array {
  const count = norms.length
  // The bits of non-negative floats order like the floats; their complement turns descending into ascending.
  const keys = new Uint32Array(norms.slice().buffer).map((bits) => ~bits)
  let from = Uint32Array.from({ length: count }, (_, row) => row)
  let to = new Uint32Array(count)
  for (let shift = 0; shift < 33; shift += 11) {
    const starts = new Uint32Array(2049)
    for (let i = 0; i < count; i++) starts[((keys[i] >>> shift) & 2047) + 1]++
    for (let digit = 0; digit < 2048; digit++) starts[digit + 1] += starts[digit]
    for (let i = 0; i < count; i++) to[starts[(keys[from[i]] >>> shift) & 2047]++] = from[i]
    ;[from, to] = [to, from]
  }
  return from
}
