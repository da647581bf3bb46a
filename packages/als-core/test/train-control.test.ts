/** Threads, death of threads, abort, progress, checkpoints and warm starts. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  CheckpointError,
  createWorkerPool,
  type InteractionMatrix,
  TrainingAborted,
  type TrainOptions,
  type TrainProgress,
  train,
} from '../src/index.ts'
import { trainWithin } from '../src/train/train.ts'
import { makeFactors, makeMatrix } from './reference.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

/** Enough entries for a dozen shards a half-sweep. */
const matrix = makeMatrix(
  Array.from({ length: 3000 }, (_, user) => (user === 0 ? 3000 : (user * 7) % 130)),
  5000,
)
const options = { factors: 24, iterations: 3, pool } satisfies TrainOptions
const bytes = (factors: Float32Array) => Buffer.from(factors.buffer, factors.byteOffset, factors.byteLength)
const same = (a: Float32Array, b: Float32Array) => bytes(a).equals(bytes(b))

describe('threads', () => {
  it.each([
    {},
    { regularizationScaling: { nu: 1 }, objective: 'ials', gatherPrecision: 'float32' },
  ] satisfies TrainOptions[])('change no bit of the factors (%o)', async (more) => {
    const one = await train(matrix, { ...options, ...more, pool: undefined, threads: 1 })
    for (const threads of [2, 3, 8]) {
      const many = await train(matrix, { ...options, ...more, pool: undefined, threads })
      expect(same(one.userFactors, many.userFactors)).toBe(true)
      expect(same(one.itemFactors, many.itemFactors)).toBe(true)
      expect(many.history.map(({ loss }) => loss)).toEqual(one.history.map(({ loss }) => loss))
    }
  })

  it('one that dies in the middle of an iteration costs one retried shard and changes no bit', async () => {
    const own = createWorkerPool({ threads: 2 })
    try {
      // Slow on purpose: the thread dies while it is in a shard.
      const slow = { ...options, solver: 'cholesky', factors: 48, iterations: 1 } as const
      const expected = await train(matrix, slow)
      let killed = 0
      const model = await train(matrix, {
        ...slow,
        pool: own,
        onProgress: ({ side, phase, fraction }) => {
          if (side !== 'users' || phase !== 'solve' || fraction === 0 || killed++ > 0) return
          own.piscina.threads[0].terminate()
        },
      })
      expect(killed).toBeGreaterThan(0)
      expect(same(model.userFactors, expected.userFactors)).toBe(true)
      expect(same(model.itemFactors, expected.itemFactors)).toBe(true)
      // The pool has replaced the thread and goes on working.
      expect(same((await train(matrix, { ...slow, pool: own })).itemFactors, expected.itemFactors)).toBe(true)
    } finally {
      await own.close()
    }
  })

  it("leaves the caller's pool open and usable", async () => {
    const [first, second] = [await train(matrix, options), await train(matrix, options)]
    expect(same(first.itemFactors, second.itemFactors)).toBe(true)
    expect(pool.piscina.threads.length).toBe(2)
  })

  it('of a pool that stays open do not keep the memory of one training after the other', async () => {
    const { code, output } = await runChild('pool-memory-child.ts', [])
    expect(code).toBe(0)
    const resident = output.trim().split('\n').map(Number)
    expect(resident).toHaveLength(10)
    // Both sides, before and after: 61 MB a training.
    expect(resident[9] - resident[3]).toBeLessThan(2 * 61)
  })

  it.each(['returns', 'throws', 'aborts'])('let the process exit by itself after train %s', async (how) => {
    const { code, output } = await runChild('train-child.ts', [how])
    expect(output).toBe(`${how}\n`)
    expect(code).toBe(0)
  })
})

describe('a fixed side beyond the kernel memory', () => {
  it.each(['bfloat16', 'float32'] as const)('gives the same factors bit for bit, %s', async (gatherPrecision) => {
    const inside = await train(matrix, { ...options, gatherPrecision })
    const outside = await trainWithin(2 ** 20, matrix, { ...options, gatherPrecision })
    expect(same(inside.userFactors, outside.userFactors)).toBe(true)
    expect(same(inside.itemFactors, outside.itemFactors)).toBe(true)
  })
})

describe('abort', () => {
  it('has the factors of the last complete iteration on the error', async () => {
    const expected = await train(matrix, { ...options, iterations: 2 })
    for (const side of ['users', 'items'] as const) {
      const controller = new AbortController()
      const aborted = train(matrix, {
        ...options,
        signal: controller.signal,
        onProgress: (progress) => {
          if (progress.iteration === 3 && progress.side === side && progress.phase === 'solve')
            controller.abort('enough')
        },
      })
      const error = await aborted.catch((error) => error)
      expect(error).toBeInstanceOf(TrainingAborted)
      expect(error.cause).toBe('enough')
      expect(error.message).toMatch(/after 2 complete iterations/)
      expect(error.model.history).toHaveLength(2)
      expect(same(error.model.userFactors, expected.userFactors)).toBe(true)
      expect(same(error.model.itemFactors, expected.itemFactors)).toBe(true)
    }
  })

  it('stops within a shard: most shards of the phase are never taken', async () => {
    const controller = new AbortController()
    const own = createWorkerPool({ threads: 1 })
    const progress: TrainProgress[] = []
    const error = await train(matrix, {
      ...options,
      pool: own,
      signal: controller.signal,
      onProgress: (report) => {
        progress.push(report)
        if (report.phase === 'solve') controller.abort()
      },
    }).catch((error) => error)
    await own.close()
    expect(error).toBeInstanceOf(TrainingAborted)
    expect(error.model).toBeUndefined()
    // Aborted as the users' solve began: nothing further was reported.
    expect(progress.at(-1)).toMatchObject({ iteration: 1, side: 'users', phase: 'solve', fraction: 0 })
  })

  it('before the start runs nothing', async () => {
    const error = await train(matrix, { ...options, signal: AbortSignal.abort() }).catch((error) => error)
    expect(error).toBeInstanceOf(TrainingAborted)
    expect(error.model).toBeUndefined()
  })
})

describe('progress', () => {
  it('rises from 0 to 1 in every iteration, through all phases of both sides', async () => {
    const reports: TrainProgress[] = []
    const model = await train(matrix, { ...options, onProgress: (report) => reports.push(report) })
    for (let iteration = 1; iteration <= 3; iteration++) {
      const fractions = reports.filter((report) => report.iteration === iteration).map(({ fraction }) => fraction)
      expect(fractions[0]).toBe(0)
      expect(fractions.at(-1)).toBe(1)
      expect(fractions).toEqual([...fractions].sort((a, b) => a - b))
    }
    const phases = new Set(reports.map(({ side, phase }) => `${side} ${phase}`))
    expect([...phases].sort()).toEqual([
      'items gram',
      'items rotate',
      'items solve',
      'users gram',
      'users rotate',
      'users solve',
    ])
    for (const report of model.history) {
      const { gram, eigen, rotate, solve } = report.phases
      expect(gram + eigen + rotate + solve).toBeLessThanOrEqual(report.seconds)
      expect(Math.min(gram, eigen, rotate, solve)).toBeGreaterThan(0)
      expect(report.rows).toBe(8000)
      expect(report.entriesPerSecond * report.seconds).toBeCloseTo(2 * matrix.entries)
    }
  })

  it("ends early when onIteration returns 'stop'", async () => {
    const model = await train(matrix, {
      ...options,
      onIteration: ({ iteration }) => (iteration === 2 ? 'stop' : undefined),
    })
    const two = await train(matrix, { ...options, iterations: 2 })
    expect(model.history).toHaveLength(2)
    expect(same(model.itemFactors, two.itemFactors)).toBe(true)
  })
})

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
  ] satisfies TrainOptions[])('resumes to the same bits (%o)', async (more) => {
    const whole = await train(matrix, { ...options, ...more, iterations: 5 })
    const checkpoint = { directory, everyIterations: 2 }
    const seen: number[] = []
    const onIteration = ({ iteration }: { iteration: number }) => {
      seen.push(iteration)
      return iteration === 2 ? 'stop' : undefined
    }
    await train(matrix, { ...options, ...more, checkpoint, iterations: 5, onIteration })
    expect(readdirSync(directory).map((name) => name.replace(/-\w+/, ''))).toEqual([
      'checkpoint.json',
      'items.bin',
      'users.bin',
    ])
    const resumed = await train(matrix, { ...options, ...more, checkpoint, iterations: 5, onIteration })
    expect(seen).toEqual([1, 2, 3, 4, 5])
    expect(resumed.history.map(({ loss }) => loss)).toEqual(whole.history.map(({ loss }) => loss))
    expect(same(resumed.userFactors, whole.userFactors)).toBe(true)
    expect(same(resumed.itemFactors, whole.itemFactors)).toBe(true)
    expect(readdirSync(directory)).toHaveLength(3)
    // A finished training is read back without an iteration.
    const again = await train(matrix, { ...options, ...more, checkpoint, iterations: 5, onIteration })
    expect(seen).toHaveLength(5)
    expect(same(again.itemFactors, whole.itemFactors)).toBe(true)
  })

  it('survives a killed process', async () => {
    const whole = await train(childMatrix(), { factors: 16, iterations: 4, pool })
    const { code } = await runChild('checkpoint-child.ts', [directory])
    expect(code).toBeNull()
    const saved = JSON.parse(readFileSync(join(directory, 'checkpoint.json'), 'utf8')).history.length
    expect(saved).toBe(2)
    const resumed = await train(childMatrix(), { factors: 16, iterations: 4, pool, checkpoint: { directory } })
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
    expect(await refused(makeMatrix([4, 5, 6], 5000), {})).toMatch(/matrix has other entries/)
    const other = {
      ...matrix,
      codebook: matrix.codebook!.map((value) => value * 2) as unknown as typeof matrix.codebook,
    }
    expect(await refused(other, {})).toMatch(/matrix has other entries/)

    // Where that is wanted, it is written over, and resumed from then on.
    const fresh = await train(matrix, { ...options, iterations: 2, seed: 1 })
    const replacing = { ...options, seed: 1, checkpoint: { directory, otherTraining: 'replace' as const } }
    await train(matrix, { ...replacing, iterations: 1 })
    const replaced = await train(matrix, { ...replacing, iterations: 2 })
    expect(replaced.history.map(({ loss }) => loss)).toEqual(fresh.history.map(({ loss }) => loss))
    expect(same(replaced.itemFactors, fresh.itemFactors)).toBe(true)
    await train(matrix, { ...options, iterations: 1, checkpoint: { directory, otherTraining: 'replace' } })

    const path = join(directory, 'checkpoint.json')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('"version": 1', '"version": 7'))
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

  it('goes on from an earlier model where that ended', async () => {
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

function childMatrix(): InteractionMatrix {
  return makeMatrix(
    Array.from({ length: 200 }, (_, user) => user % 40),
    300,
  )
}

function runChild(file: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.on('close', (code) => resolve({ code, output }))
  })
}
