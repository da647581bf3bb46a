/**
 * Generated matrices as files that every program of a comparison reads, in benchmarks/.cache: NAME.json
 * { users, items, entries }, NAME.indptr.i64, NAME.indices.i32 and NAME.data.f32, little-endian.
 */
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { InteractionMatrix } from '@seesaw/als-core'
import { generateInteractions, type MatrixSize } from './generate-interactions.ts'

const folder = fileURLToPath(new URL('./.cache/', import.meta.url))

/** The files' common prefix; generates and writes them on first use. */
export async function cachedInteractions(name: string, size: MatrixSize): Promise<string> {
  const prefix = folder + name
  if (!existsSync(`${prefix}.json`)) writeMatrix(prefix, await generateInteractions(size))
  return prefix
}

/** Writes the users' rows of a matrix; the JSON comes last, so that its presence means the rest is whole. */
export function writeMatrix(prefix: string, matrix: InteractionMatrix): void {
  mkdirSync(folder, { recursive: true })
  const { csr, codebook, users, items, entries } = matrix
  const values = csr.values
  writeArray(`${prefix}.indptr.i64`, csr.indptr.length, (i) => BigInt(csr.indptr[i]), BigInt64Array)
  writeArray(`${prefix}.indices.i32`, entries, (i) => csr.indices[i], Int32Array)
  writeArray(`${prefix}.data.f32`, entries, codebook ? (i) => codebook[values[i]] : (i) => values[i], Float32Array)
  writeFileSync(`${prefix}.json.partial`, JSON.stringify({ users, items, entries }))
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
