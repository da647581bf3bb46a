/**
 * Peak memory of a training as an installed package has it: compiled JavaScript, and nothing in the process but the matrix.
 * `node memory-program.mjs PREFIX OPTIONS` reads the matrix of cached-interactions.ts straight into its final arrays and prints
 * the peak in MB. Run `tsc -b packages/als-core` first.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { train } from '../../packages/als-core/dist/index.js'

const [prefix, options] = process.argv.slice(2)
const { users, items, entries } = JSON.parse(readFileSync(`${prefix}.json`, 'utf8'))
const shared = (type, length) => new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT))
const csr = emptyRows(users)
const csc = emptyRows(items)
/** The distinct values, in the order in which they come. */
const codebook = []

readChunks('indptr.i64', BigInt64Array, (chunk, first) => {
  for (let i = 0; i < chunk.length; i++) csr.indptr[first + i] = Number(chunk[i])
})
readChunks('indices.i32', Int32Array, (chunk, first) => {
  csr.indices.set(chunk, first)
  for (const item of chunk) csc.indptr[item + 1]++
})
readChunks('data.f32', Float32Array, (chunk, first) => {
  for (let i = 0; i < chunk.length; i++) {
    const known = codebook.indexOf(chunk[i])
    csr.values[first + i] = known >= 0 ? known : codebook.push(chunk[i]) - 1
  }
})
for (let item = 0; item < items; item++) csc.indptr[item + 1] += csc.indptr[item]
const next = csc.indptr.slice()
for (let user = 0; user < users; user++) {
  for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
    const to = next[csr.indices[e]]++
    csc.indices[to] = user
    csc.values[to] = csr.values[e]
  }
}
const book = shared(Float32Array, codebook.length)
book.set(codebook)

const { factors, threads, seed, alpha, regularization, objective, unobservedWeight, nu, tolerance, momentum } =
  JSON.parse(options)
await train(
  { users, items, entries, csr, csc, codebook: book },
  {
    ...{ factors, threads, seed, alpha, regularization, objective, tolerance, momentum },
    ...(objective === 'ials' && { unobservedWeight, regularizationScaling: { nu } }),
    iterations: 4,
  },
)
const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))
console.log((Number(kilobytes) * 1024) / 1e6)

function emptyRows(rows) {
  return {
    indptr: shared(Float64Array, rows + 1),
    indices: shared(Uint32Array, entries),
    values: shared(Uint8Array, entries),
  }
}

/** Calls `use` with the numbers of a file, 256 KB at a time, and the place of the first. */
function readChunks(name, type, use) {
  const descriptor = openSync(`${prefix}.${name}`)
  const chunk = new type(2 ** 18 / type.BYTES_PER_ELEMENT)
  for (let first = 0; ; ) {
    const count = readSync(descriptor, chunk) / type.BYTES_PER_ELEMENT
    if (count === 0) break
    use(chunk.subarray(0, count), first)
    first += count
  }
  closeSync(descriptor)
}
