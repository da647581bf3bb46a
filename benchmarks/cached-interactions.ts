/**
 * Generated matrices as files that every program of a comparison reads, in benchmarks/.cache: NAME.json
 * { users, items, entries }, NAME.indptr.i64, NAME.indices.i32 and NAME.data.f32, little-endian.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { type InteractionMatrix, matrixFromCsr, matrixFromTriplets } from '@seesaw/als-core'
import { generateInteractions, sizes } from './generate-interactions.ts'

const folder = fileURLToPath(new URL('./.cache/', import.meta.url))

/**
 * The files' common prefix; makes them on first use. `name` is a generated size (S, M, L) or a data set with a
 * train.tsv.gz of `user item value` lines in ../shared/data.
 */
export async function cachedInteractions(name: string): Promise<string> {
  const prefix = folder + name
  if (existsSync(`${prefix}.json`)) return prefix
  const size = sizes[name as keyof typeof sizes]
  writeMatrix(prefix, size ? await generateInteractions(size) : readDataSet(name))
  return prefix
}

/** Reads the matrix at a prefix. */
export function readInteractions(prefix: string): InteractionMatrix {
  const { users, items, entries } = JSON.parse(readFileSync(`${prefix}.json`, 'utf8'))
  return matrixFromCsr({
    users,
    items,
    indptr: Float64Array.from(readArray(`${prefix}.indptr.i64`, BigInt64Array, 8 * (users + 1)), Number),
    indices: readArray(`${prefix}.indices.i32`, Uint32Array<SharedArrayBuffer>, 4 * entries),
    values: readArray(`${prefix}.data.f32`, Float32Array<SharedArrayBuffer>, 4 * entries),
  })
}

function readDataSet(name: string): InteractionMatrix {
  const file = fileURLToPath(new URL(`../../shared/data/${name}/train.tsv.gz`, import.meta.url))
  if (!existsSync(file))
    throw new Error(`${name} is none of ${Object.keys(sizes).join(', ')}, and ${file} does not exist.`)
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
  const [rows, columns, values] = [0, 1, 2].map((field) => lines.map((line) => Number(line.split('\t')[field])))
  const count = (ids: number[]) => ids.reduce((most, id) => Math.max(most, id + 1), 0)
  return matrixFromTriplets({
    users: count(rows),
    items: count(columns),
    rows: Uint32Array.from(rows),
    columns: Uint32Array.from(columns),
    values: Float32Array.from(values),
    duplicates: 'max',
  })
}

/** Writes the users' rows of a matrix; the JSON comes last, so that its presence means the rest is whole. */
export function writeMatrix(prefix: string, matrix: InteractionMatrix): void {
  mkdirSync(folder, { recursive: true })
  const { csr, codebook, users, items } = matrix
  writeCsr(prefix, { users, items }, csr, codebook)
}

/** Writes compressed rows, such as those of features, in the same files: `users` rows and `items` columns. */
export function writeCsr(
  prefix: string,
  shape: { users: number; items: number },
  { indptr, indices, values }: Record<'indptr' | 'indices' | 'values', ArrayLike<number>>,
  codebook?: Float32Array,
): void {
  const entries = indices.length
  writeArray(`${prefix}.indptr.i64`, indptr.length, (i) => BigInt(indptr[i]), BigInt64Array)
  writeArray(`${prefix}.indices.i32`, entries, (i) => indices[i], Int32Array)
  writeArray(`${prefix}.data.f32`, entries, codebook ? (i) => codebook[values[i]] : (i) => values[i], Float32Array)
  writeFileSync(`${prefix}.json.partial`, JSON.stringify({ ...shape, entries }))
  renameSync(`${prefix}.json.partial`, `${prefix}.json`)
}

/** Reads one of the files into memory that worker threads share; files past 2 GiB too. */
export function readArray<T>(file: string, type: new (buffer: SharedArrayBuffer) => T, byteLength: number): T {
  const buffer = new SharedArrayBuffer(byteLength)
  const descriptor = openSync(file, 'r')
  const chunk = 1 << 26
  for (let at = 0; at < byteLength; ) {
    const view = new Uint8Array(buffer, at, Math.min(chunk, byteLength - at))
    const read = readSync(descriptor, view)
    if (read === 0) throw new Error(`${file} has ${at} bytes, expected ${byteLength}. Delete it to have it made again.`)
    at += read
  }
  closeSync(descriptor)
  return new type(buffer)
}

type Numbers<T> = { [i: number]: T; length: number; subarray(from: number, to: number): NodeJS.ArrayBufferView }

function writeArray<T>(
  file: string,
  length: number,
  at: (i: number) => T,
  type: new (length: number) => Numbers<T>,
): void {
  const chunk = new type(1 << 20)
  const descriptor = openSync(file, 'w')
  for (let from = 0; from < length; from += chunk.length) {
    const to = Math.min(length, from + chunk.length)
    for (let i = from; i < to; i++) chunk[i - from] = at(i)
    writeSync(descriptor, chunk.subarray(0, to - from))
  }
  closeSync(descriptor)
}
