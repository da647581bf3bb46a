/** Models of the Python library implicit: .npz files, read and written. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { zipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AlsModel, ModelFormatError, readImplicitModel, train, writeImplicitModel } from '../src/index.ts'
import { makeMatrix } from './reference.ts'

const python = fileURLToPath(new URL('../../../benchmarks/peers/.venv/bin/python', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'implicit-'))
afterAll(() => rmSync(directory, { recursive: true }))

const matrix = makeMatrix([3, 0, 9, 12, 5], 20)
let model: AlsModel
beforeAll(async () => {
  model = await train(matrix, {
    factors: 6,
    iterations: 4,
    alpha: 2.5,
    regularization: 0.25,
    threads: 1,
    userIds: [5, 4, 3, 2, 2 ** 40],
    itemIds: Array.from({ length: 20 }, (_, item) => `item ${item} ✓`),
  })
})

describe('what was written', () => {
  it('is read back', async () => {
    const path = join(directory, 'own.npz')
    await writeImplicitModel(model, path)
    const back = await readImplicitModel(path)
    expect(back.userFactors).toEqual(model.userFactors)
    expect(back.itemFactors).toEqual(model.itemFactors)
    expect([back.factors, back.users, back.items]).toEqual([6, 5, 20])
    expect(back.options).toMatchObject({ alpha: 2.5, regularization: 0.25, iterations: 4, factors: 6, seed: 42 })
    expect([...(back.userIds as Float64Array)]).toEqual(model.userIds)
    expect(back.itemIds).toEqual(model.itemIds)
    expect(readdirSync(directory)).toEqual(['own.npz'])
  })

  it.skipIf(!existsSync(python))('is what implicit itself loads, and what it saves is read', async () => {
    const [ours, theirs] = ['ours.npz', 'theirs.npz'].map((name) => join(directory, name))
    await writeImplicitModel(model, ours)
    const script = `
import sys
import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
model = AlternatingLeastSquares.load(sys.argv[1])
assert model.user_factors.shape == (5, 6) and model.user_factors.dtype == np.float32
assert model.alpha == 2.5 and model.regularization == 0.25 and model.factors == 6 and model.iterations == 4
assert model.dtype == np.dtype("float32") and model.use_cg is True
ids, scores = model.recommend(2, None, N=3, filter_already_liked_items=False)
model.user_factors = model.user_factors * 2
model.random_state = None
model.save(sys.argv[2])
print(",".join(map(str, scores)))
`
    const scores = execFileSync(python, ['-c', script, ours, theirs], {
      env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
    })
    const own = Array.from({ length: 20 }, (_, item) => {
      let sum = 0
      for (let f = 0; f < 6; f++) sum += model.userFactors[2 * 6 + f] * model.itemFactors[item * 6 + f]
      return sum
    })
    const best = own.sort((a, b) => b - a).slice(0, 3)
    String(scores)
      .split(',')
      .forEach((score, at) => {
        expect(Number(score)).toBeCloseTo(best[at], 5)
      })
    const back = await readImplicitModel(theirs)
    expect(back.userFactors).toEqual(model.userFactors.map((value) => value * 2))
    expect(back.itemFactors).toEqual(model.itemFactors)
    expect(back.options).toMatchObject({ alpha: 2.5, regularization: 0.25, iterations: 4 })
    expect(back.options.seed).toBe(42)
  })
})

describe('files of NumPy', () => {
  const npy = (descr: string, shape: string, data: ArrayBufferView, fortran = 'False') => {
    const header = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`.padEnd(117).concat('\n')
    const bytes = new Uint8Array(10 + header.length + data.byteLength)
    bytes.set([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0])
    bytes.set(Buffer.from(header), 10)
    bytes.set(new Uint8Array(data.buffer), 10 + header.length)
    return bytes
  }
  const write = (files: Record<string, Uint8Array>) => {
    const path = join(directory, 'made.npz')
    writeFileSync(path, zipSync(files))
    return path
  }
  const users = npy('<f4', '(2, 3)', Float32Array.of(1, 2, 3, 4, 5, 6))
  const items = npy('<f8', '(1, 3)', Float64Array.of(7, 8, 9))

  it('are read: compressed, in float64, without options', async () => {
    const read = await readImplicitModel(write({ 'user_factors.npy': users, 'item_factors.npy': items }))
    expect([...read.userFactors]).toEqual([1, 2, 3, 4, 5, 6])
    expect([...read.itemFactors]).toEqual([7, 8, 9])
    expect(read.options).toMatchObject({ factors: 3, alpha: 1, regularization: 0.01, solver: 'cg' })
  })

  it.each([
    [{ 'user_factors.npy': users }, /no matrix "item_factors"/],
    [
      { 'user_factors.npy': users, 'item_factors.npy': npy('<f4', '(1, 2)', Float32Array.of(1, 2)) },
      /3 columns, item_factors 2/,
    ],
    [{ 'user_factors.npy': users.subarray(0, 140), 'item_factors.npy': items }, /user_factors.npy.*expected 24/],
    [{ 'user_factors.npy': npy('|O', '(2, 3)', new Uint8Array(8)) }, /type is '\|O'/],
    [{ 'user_factors.npy': npy('<f4', '(2, 3)', new Float32Array(6), 'True') }, /Fortran/],
    [{ 'user_factors.npy': Buffer.from('something else') }, /does not begin like/],
  ] as [Record<string, Uint8Array>, RegExp][])('that are no model are refused: %#', async (files, message) => {
    const error = await readImplicitModel(write(files)).catch((error) => error)
    expect(error).toBeInstanceOf(ModelFormatError)
    expect(error.message).toMatch(message)
  })

  it('must be zip files', async () => {
    const path = join(directory, 'made.npz')
    writeFileSync(path, 'something else')
    await expect(readImplicitModel(path)).rejects.toThrow(/made.npz cannot be read/)
  })
})
