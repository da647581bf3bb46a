/** Trainings that resume from another: checkpoints and warm starts. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CheckpointError, createWorkerPool, type InteractionMatrix, type TrainOptions, train } from '../src/index.ts'
import { makeFactors, makeMatrix } from './reference.ts'
import { matrix, runChild, same, smallMatrix } from './training.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

const options = { factors: 24, iterations: 3, pool } satisfies TrainOptions

describe('checkpoint', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'checkpoint-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it.each([
    {},
    { regularizationScaling: 'count', factors: 13 },
    { solver: 'cholesky', factors: 8 },
    { momentum: 0 },
  ] as TrainOptions[])('resumes to the same bits (%o)', async (more) => {
    const whole = await train(matrix, { ...options, ...more, iterations: 5 })
    const checkpoint = { directory, everyIterations: 2 }
    const seen: number[] = []
    const onIteration = ({ iteration }: { iteration: number }) => {
      seen.push(iteration)
      return iteration === 2 ? 'stop' : undefined
    }
    await train(matrix, { ...options, ...more, checkpoint, iterations: 5, onIteration })
    const files = [...(more.momentum === 0 ? [] : ['before.bin']), 'checkpoint.json', 'items.bin', 'users.bin']
    expect(readdirSync(directory).map((name) => name.replace(/-\w+/, ''))).toEqual(files)
    const resumed = await train(matrix, { ...options, ...more, checkpoint, iterations: 5, onIteration })
    expect(seen).toEqual([1, 2, 3, 4, 5])
    expect(resumed.history.map(({ loss }) => loss)).toEqual(whole.history.map(({ loss }) => loss))
    expect(same(resumed.userFactors, whole.userFactors)).toBe(true)
    expect(same(resumed.itemFactors, whole.itemFactors)).toBe(true)
    expect(readdirSync(directory)).toHaveLength(files.length)
    // A finished training is read back without an iteration.
    const again = await train(matrix, { ...options, ...more, checkpoint, iterations: 5, onIteration })
    expect(seen).toHaveLength(5)
    expect(same(again.itemFactors, whole.itemFactors)).toBe(true)
  })

  it('survives a killed process', async () => {
    const whole = await train(smallMatrix, { factors: 16, iterations: 4, pool })
    const { code } = await runChild('checkpoint-child.ts', [directory])
    expect(code).toBeNull()
    const saved = JSON.parse(readFileSync(join(directory, 'checkpoint.json'), 'utf8')).history.length
    expect(saved).toBe(2)
    const resumed = await train(smallMatrix, { factors: 16, iterations: 4, pool, checkpoint: { directory } })
    expect(same(resumed.itemFactors, whole.itemFactors)).toBe(true)
  })

  it('of another training is refused, and says what differs', async () => {
    const checkpoint = { directory }
    await train(matrix, { ...options, iterations: 1, checkpoint })
    const refused = async (of: InteractionMatrix, more: TrainOptions) => {
      const error = await train(of, { ...options, iterations: 1, checkpoint, ...more }).catch((error) => error)
      expect(error).toBeInstanceOf(CheckpointError)
      return error.message as string
    }
    expect(await refused(matrix, { alpha: 2, seed: 1 })).toMatch(/alpha was 1, is now 2; seed was 42, is now 1/)
    expect(await refused(makeMatrix([4, 5, 6], 5000), {})).toMatch(/matrix has different entries/)
    const other = {
      ...matrix,
      codebook: matrix.codebook!.map((value) => value * 2) as unknown as typeof matrix.codebook,
    }
    expect(await refused(other, {})).toMatch(/matrix has different entries/)

    // Where that is wanted, it is written over, and resumed from then on.
    const fresh = await train(matrix, { ...options, iterations: 2, seed: 1 })
    const replacing = { ...options, seed: 1, checkpoint: { directory, onMismatch: 'restart' as const } }
    await train(matrix, { ...replacing, iterations: 1 })
    const replaced = await train(matrix, { ...replacing, iterations: 2 })
    expect(replaced.history.map(({ loss }) => loss)).toEqual(fresh.history.map(({ loss }) => loss))
    expect(same(replaced.itemFactors, fresh.itemFactors)).toBe(true)
    await train(matrix, { ...options, iterations: 1, checkpoint: { directory, onMismatch: 'restart' } })

    const path = join(directory, 'checkpoint.json')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(/"version": \d+/, '"version": 7'))
    expect(await refused(matrix, {})).toMatch(/version 7/)
    writeFileSync(path, '{"format":"something"}')
    expect(await refused(matrix, {})).toMatch(/is not a checkpoint/)
    writeFileSync(path, text.slice(0, 100))
    expect(await refused(matrix, {})).toMatch(/not JSON/)
    writeFileSync(path, text)
    truncateSync(join(directory, readdirSync(directory).find((name) => name.startsWith('items'))!), 1000)
    expect(await refused(matrix, {})).toMatch(/items-.*truncated/)
  })
})

describe('initial', () => {
  it('arrays start the training: the bits of the random start written out', async () => {
    const itemFactors = makeFactors(matrix.items, 24, 3)
    const [a, b] = await Promise.all(
      [undefined, makeFactors(matrix.users, 24, 4)].map((userFactors) =>
        train(matrix, { ...options, iterations: 1, initial: { itemFactors, ...(userFactors && { userFactors }) } }),
      ),
    )
    expect(same(a.userFactors, b.userFactors)).toBe(false)
    expect(Math.abs(a.history[0].loss / b.history[0].loss - 1)).toBeLessThan(0.2)
  })

  it('resumes from an earlier model where that ended', async () => {
    const earlier = await train(matrix, { factors: 24, iterations: 6, pool })
    const later = await train(matrix, { pool, iterations: 1, initial: earlier })
    expect(later.factors).toBe(24)
    const seventh = await train(matrix, { factors: 24, iterations: 7, pool })
    expect(Math.abs(later.history[0].loss / seventh.history[6].loss - 1)).toBeLessThan(1e-3)
  })

  it('maps ids: kept rows start from theirs, new ones at random, gone ones are dropped', async () => {
    const small = makeMatrix([3, 4, 5, 6], 12)
    const itemIds = Array.from({ length: 12 }, (_, item) => `item ${item}`)
    const userIds = [10, 20, 30, 40]
    const earlier = await train(small, { factors: 4, iterations: 5, pool, userIds, itemIds })
    // Items in reverse, one of them new; user 20 is gone, 50 new.
    const renamed = itemIds.map((id) => (id === 'item 7' ? 'item new' : id)).reverse()
    const start = await train(small, {
      iterations: 0,
      pool,
      initial: earlier,
      userIds: [40, 30, 10, 50],
      itemIds: renamed,
    })
    const row = (factors: Float32Array, at: number) => [...factors.subarray(4 * at, 4 * at + 4)]
    const close = (actual: number[], expected: number[]) =>
      actual.forEach((value, f) => {
        expect(value).toBeCloseTo(expected[f], 5)
      })
    renamed.forEach((id, item) => {
      if (id !== 'item new') close(row(start.itemFactors, item), row(earlier.itemFactors, itemIds.indexOf(id)))
    })
    close(row(start.userFactors, 0), row(earlier.userFactors, 3))
    close(row(start.userFactors, 2), row(earlier.userFactors, 0))
    const seeded = row(start.itemFactors, renamed.indexOf('item new'))
    expect(seeded.every((value) => value !== 0 && Math.abs(value) < 0.1)).toBe(true)
    expect(row(start.userFactors, 3).every((value) => value !== 0 && Math.abs(value) < 0.1)).toBe(true)
  })
})
