/** Sparse rows, of a matrix or one alone. */
interface Entries {
  readonly indices: Uint32Array
  readonly values: Float32Array
}

/**
 * sum = Σ g v over entries [begin, end), v the row of `vectors` (rows of `sum.length`) that an entry's index names. The first few
 * entries are written and the others added four at a time, so that the sum is read and written as little as can be: for one
 * or two entries half the time of adding each to zeros.
 */
export function sumFeatures(sum: Float64Array, rows: Entries, begin: number, end: number, vectors: Float32Array): void {
  const rest = (end - begin) & 3
  if (rest === 1) setOne(sum, rows, begin, vectors)
  else if (rest === 2) setTwo(sum, rows, begin, vectors)
  else if (rest === 3) setThree(sum, rows, begin, vectors)
  else sum.fill(0)
  for (let e = begin + rest; e < end; e += 4) addFour(sum, rows, e, vectors)
}

function setOne(sum: Float64Array, { indices, values }: Entries, e: number, vectors: Float32Array): void {
  const k = sum.length
  const a = indices[e] * k
  const ga = values[e]
  for (let j = 0; j < k; j++) sum[j] = ga * vectors[a + j]
}

function setTwo(sum: Float64Array, { indices, values }: Entries, e: number, vectors: Float32Array): void {
  const k = sum.length
  const [a, b] = [indices[e] * k, indices[e + 1] * k]
  const [ga, gb] = [values[e], values[e + 1]]
  for (let j = 0; j < k; j++) sum[j] = ga * vectors[a + j] + gb * vectors[b + j]
}

function setThree(sum: Float64Array, { indices, values }: Entries, e: number, vectors: Float32Array): void {
  const k = sum.length
  const [a, b, c] = [indices[e] * k, indices[e + 1] * k, indices[e + 2] * k]
  const [ga, gb, gc] = [values[e], values[e + 1], values[e + 2]]
  for (let j = 0; j < k; j++) sum[j] = ga * vectors[a + j] + gb * vectors[b + j] + gc * vectors[c + j]
}

function addFour(sum: Float64Array, { indices, values }: Entries, e: number, vectors: Float32Array): void {
  const k = sum.length
  const [a, b, c, d] = [indices[e] * k, indices[e + 1] * k, indices[e + 2] * k, indices[e + 3] * k]
  const [ga, gb, gc, gd] = [values[e], values[e + 1], values[e + 2], values[e + 3]]
  for (let j = 0; j < k; j++) {
    sum[j] += ga * vectors[a + j] + gb * vectors[b + j] + (gc * vectors[c + j] + gd * vectors[d + j])
  }
}
