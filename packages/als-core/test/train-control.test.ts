/** Threads, death of threads, abort and progress. */
import { afterAll, describe, expect, it } from 'vitest'
import {
  createWorkerPool,
  TrainingAborted,
  type TrainOptions,
  type TrainProgress,
  train,
  type WorkerPool,
} from '../src/index.ts'
import type { ShardBoard } from '../src/pool/run-shards.ts'
import { trainWithin } from '../src/train/run-training.ts'
import { matrix, runChild, same } from './training.ts'

const pool = createWorkerPool({ threads: 2 })
afterAll(() => pool.close())

const options = { factors: 24, iterations: 3, pool } satisfies TrainOptions

describe('threads', () => {
  it.each([
    { gatherPrecision: 'int8' },
    { regularizationScaling: { nu: 1 }, objective: 'ials', gatherPrecision: 'int8' },
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

  it.each([{}, { regularizationScaling: { nu: 1 }, objective: 'ials' }, { momentum: 0 }] satisfies TrainOptions[])(
    'one that dies while it writes rows over those before changes no bit (%o)',
    async (more) => {
      const expected = await train(matrix, { ...options, ...more })
      // Users and items of the second and third iteration.
      for (const sweep of [3, 4, 5, 6]) {
        let killed = 0
        const own = interfere(
          sweep,
          (done, { piscina }) => done >= 1 && killed++ === 0 && piscina.threads[0].terminate(),
        )
        const model = await train(matrix, { ...options, ...more, pool: own })
        await own.close()
        expect(killed).toBe(1)
        expect(same(model.userFactors, expected.userFactors)).toBe(true)
        expect(same(model.itemFactors, expected.itemFactors)).toBe(true)
      }
    },
  )

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
    // Both sides: 31 MB a training.
    expect(resident[9] - resident[3]).toBeLessThan(3 * 31)
  })

  it.each(['returns', 'throws', 'aborts'])('let the process exit by itself after train %s', async (how) => {
    const { code, output } = await runChild('train-child.ts', [how])
    expect(output).toBe(`${how}\n`)
    expect(code).toBe(0)
  })
})

describe('a fixed side beyond the kernel memory', () => {
  it.each(['int8', 'float32'] as const)('gives the same factors bit for bit, %s', async (gatherPrecision) => {
    const inside = await train(matrix, { ...options, gatherPrecision })
    const outside = await trainWithin(2 ** 20, matrix, { ...options, gatherPrecision })
    expect(same(inside.userFactors, outside.userFactors)).toBe(true)
    expect(same(inside.itemFactors, outside.itemFactors)).toBe(true)
  })
})

describe('abort', () => {
  it('has every row as it was solved last on the error', async () => {
    const two = await train(matrix, { ...options, iterations: 2 })
    const three = await train(matrix, { ...options, iterations: 3 })
    for (const side of ['users', 'items'] as const) {
      const controller = new AbortController()
      // The third iteration's half-sweep of this side, when a shard or two of it are done.
      const own = interfere(side === 'users' ? 5 : 6, (done) => done >= 1 && controller.abort('enough'))
      const error = await train(matrix, { ...options, pool: own, signal: controller.signal }).catch((error) => error)
      await own.close()
      expect(error).toBeInstanceOf(TrainingAborted)
      expect(error.cause).toBe('enough')
      expect(error.message).toMatch(/after 2 complete iterations/)
      expect(error.model.history).toHaveLength(2)
      expect(same(error.model.itemFactors, two.itemFactors)).toBe(true)
      const { userFactors } = error.model
      if (side === 'items') expect(same(userFactors, three.userFactors)).toBe(true)
      else {
        const rows = Array.from({ length: matrix.users }, (_, row) => {
          const [now, then, next] = [userFactors, two.userFactors, three.userFactors].map((factors) =>
            factors.subarray(row * 24, row * 24 + 24),
          )
          return same(now, next) ? 'next' : distance(now, then) < 1e-5 * Math.hypot(...then) ? 'then' : 'other'
        })
        expect(new Set(rows)).toEqual(new Set(['then', 'next']))
      }
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
      'items basis',
      'items gram',
      'items solve',
      'items transform',
      'users basis',
      'users gram',
      'users solve',
      'users transform',
    ])
    for (const report of model.history) {
      const { gram, basis, transform, solve } = report.phases
      expect(gram + basis + transform + solve).toBeLessThanOrEqual(report.seconds)
      expect(Math.min(gram, basis, transform, solve)).toBeGreaterThan(0)
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

/** A pool that calls `act` with the number of finished shards while the given half-sweep is being solved, until it returns truth. */
function interfere(sweep: number, act: (done: number, pool: WorkerPool) => unknown): WorkerPool {
  const own = createWorkerPool({ threads: 2 })
  let calls = 0
  return {
    ...own,
    run: (task, message) => {
      const result = own.run<never>(task, message)
      // Each half-sweep asks both threads.
      if (task === 'solveShards' && ++calls === 2 * sweep) {
        const { state } = (message as { board: ShardBoard }).board
        const end = performance.now() + 5000
        while (!act(Atomics.load(state, 2), own) && performance.now() < end);
      }
      return result
    },
  }
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, at) => value - b[at]))
}
