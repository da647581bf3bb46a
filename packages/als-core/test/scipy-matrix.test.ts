import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { afterAll, expect, test } from 'vitest'
import {
  type InteractionMatrix,
  matrixFromCsr,
  readScipyMatrix,
  writeNpyFactors,
  writeScipyMatrix,
} from '../src/index.ts'
import { readNpy } from '../src/model/npy.ts'
import { writeNpz } from '../src/model/npz.ts'
import { makeInteractions, random } from './recommend-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'scipy-'))
afterAll(() => rmSync(folder, { recursive: true }))
const fixture = (name: string) => join(import.meta.dirname, 'scipy-files', `${name}.npz`)

// What scipy's toarray() prints of the files.
const dense = [
  [6, 0, 0, 4, 1, -7, 0, 0, 0, 0, 0],
  [1, 5, 0, 0, 0, 0, 8, 0, 3, 0, 0],
  [2, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0],
  [6, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 4, 0, 0, 4, 0, 3, 4, 0],
  [0, 0, 0, 5, 9, 0, 0, 9, 0, 0, 0],
  [0, 9, 10, 0, 8, 3, 0, 0, 6, 2, 0],
]
const doubled = [[11, 0, 0, 10, 1, -7, 0, 0, 0, 0, 0], ...dense.slice(1)]
const ofAbsolutes = dense.map((row) => row.map(Math.abs))
const unsorted = [
  [1, 0, 0, 1],
  [0, 0, 0, 0],
  [0, 1, 1, 0],
]

function toDense({ users, items, csr, codebook }: InteractionMatrix): number[][] {
  return Array.from({ length: users }, (_, user) => {
    const row = new Array<number>(items).fill(0)
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      row[csr.indices[e]] = codebook ? codebook[csr.values[e]] : csr.values[e]
    }
    return row
  })
}

test.each([
  ['csr-float64', dense],
  ['csr-float32-stored', dense],
  ['csc-int16', dense],
  ['coo-duplicates-int64', doubled],
  ['csr-unsorted-bool', unsorted],
  ['csr-array-uint8', ofAbsolutes],
])('%s is read as scipy reads it', async (name, expected) => {
  expect(toDense(await readScipyMatrix(fixture(name)))).toEqual(expected)
})

test('what is written has the arrays that scipy writes, byte for byte', async () => {
  const path = join(folder, 'written.npz')
  await writeScipyMatrix(await readScipyMatrix(fixture('csr-float64')), path)
  const written = unzipSync(readFileSync(path))
  const theirs = unzipSync(readFileSync(fixture('csr-float32-stored')))
  expect(Object.keys(written)).toEqual(Object.keys(theirs))
  for (const name of ['indices', 'indptr', 'shape', 'data']) {
    const [a, b] = [written, theirs].map((files) => readNpy(files[`${name}.npy`]))
    expect(a, name).toEqual(b)
  }
  expect(readdirSync(folder)).toEqual(['written.npz'])
})

// 256 distinct values are codes of one byte in the matrix, 257 are not.
test.each([1, 256, 257, 5000])('a matrix of %d distinct values comes back as it was', async (distinct) => {
  const matrix = makeInteractions(300, 200, 40, distinct)
  const next = random(distinct)
  const values = Float32Array.from(matrix.csr.indices, () => (1 + Math.floor(distinct * next())) / 3)
  const weighted = matrixFromCsr({ ...matrix, ...matrix.csr, values })
  const path = join(folder, `${distinct}.npz`)
  await writeScipyMatrix(weighted, path)
  expect(await readScipyMatrix(path)).toEqual(weighted)
})

test('factors are an array of rows × factors', async () => {
  const path = join(folder, 'items.npy')
  const factors = Float32Array.from({ length: 21 }, (_, n) => n / 7)
  await writeNpyFactors(factors, 3, path)
  expect(readNpy(readFileSync(path))).toEqual({ descr: '<f4', shape: [7, 3], values: factors })
  // A header of 128 bytes: magic and version, then a dictionary that ends the line.
  const header = readFileSync(path).subarray(0, 128).toString('latin1')
  expect(header.slice(0, 8)).toBe('\x93NUMPY\x01\x00')
  expect(header.slice(10)).toBe(`${"{'descr': '<f4', 'fortran_order': False, 'shape': (7, 3), }".padEnd(117)}\n`)
  await expect(writeNpyFactors(factors, 4, path)).rejects.toThrow('21 values, expected a multiple of 4')
})

test('what is no such matrix is refused', async () => {
  await expect(readScipyMatrix(fixture('zero'))).rejects.toThrow(/zero.npz: entry 2 is 0.*eliminate_zeros\(\)/)
  await expect(readScipyMatrix(fixture('bsr'))).rejects.toThrow(/in the format "bsr", expected 'csr', 'csc' or 'coo'/)
  await expect(readScipyMatrix(fixture('coo-duplicates-int64'), { duplicates: 'error' })).rejects.toThrow(
    'more than once',
  )
  const path = join(folder, 'other.npz')
  writeFileSync(path, readFileSync(fixture('bsr')).subarray(0, 500))
  await expect(readScipyMatrix(path)).rejects.toThrow(/other.npz cannot be read .*expected a sparse matrix of scipy/)
})

test.each(['csr-float32-stored', 'csr-float64', 'csc-int16'])(
  'a flipped bit anywhere in the values of %s is found',
  async (name) => {
    const bytes = readFileSync(fixture(name))
    // The entry of the central directory says where the file begins, behind a header of its own, and how long it is.
    const entry = bytes.lastIndexOf('data.npy') - 46
    const header = bytes.readUInt32LE(entry + 42)
    const from = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28)
    const to = from + bytes.readUInt32LE(entry + 20)
    expect(to - from).toBeGreaterThan(60)
    const path = join(folder, `flipped-${name}.npz`)
    for (let place = from; place < to; place += 3) {
      const flipped = Buffer.from(bytes)
      flipped[place] ^= 4
      writeFileSync(path, flipped)
      const read = await readScipyMatrix(path).catch((error: Error) => error.message)
      expect(read, `byte ${place - from} of ${to - from}`).toMatch(/flipped-.*npz/)
    }
  },
)

test('what cannot be a matrix names its file', async () => {
  const path = join(folder, 'lies.npz')
  await writeNpz(path, {
    format: { descr: '<U3', shape: [], values: ['csr'] },
    shape: { descr: '<i8', shape: [2], values: BigInt64Array.of(2n, 2n) },
    indptr: { descr: '<i4', shape: [3], values: Int32Array.of(0, 1, 2) },
    indices: { descr: '<i4', shape: [2], values: Int32Array.of(0, 7) },
    data: { descr: '<f4', shape: [2], values: Float32Array.of(1, 1) },
  })
  await expect(readScipyMatrix(path)).rejects.toThrow(`${path}: Row 1, entry 1: column 7, expected`)
})
