import { describe, expect, it } from 'vitest'
import { createWorkerPool, type WorkerPool } from '../src/index.ts'
import { runShards, type ShardBoard, stopShards, takeShards } from '../src/pool/run-shards.ts'
import { sharedFloat32, sharedFloat64 } from '../src/pool/shared-arrays.ts'
import { makeKeptRows } from '../src/solve/kept-rows.ts'
import type { rebaseShards } from '../src/solve/rebase-shards.ts'
import { type InPlaceTask, runInPlace, takeInPlace } from '../src/solve/rows-in-place.ts'
import type { Workbench } from '../src/solve/workbench.ts'
import type { initializeShards } from '../src/train/initialize-shards.ts'

/** A pool whose threads are functions of this process, in turns: a thread gives way after each shard. */
function makePool(threads: number, work: (shard: number, board: ShardBoard) => void): WorkerPool {
  const run = async (_task: string, message: unknown) => {
    const { board, slot } = message as { board: ShardBoard; slot: number }
    for (const shard of takeShards(board)) {
      await new Promise((resolve) => setImmediate(resolve))
      work(shard, board)
    }
    return slot
  }
  return { threads, run, close: async () => {} } as unknown as WorkerPool
}

describe('runShards', () => {
  it('runs every shard once, whatever the threads', async () => {
    for (const threads of [1, 2, 3, 8]) {
      const ran: number[] = []
      const slots = await runShards(
        makePool(threads, (shard) => ran.push(shard)),
        'task',
        5,
        {},
      )
      expect(ran.sort()).toEqual([0, 1, 2, 3, 4])
      expect(slots).toHaveLength(Math.min(threads, 5))
    }
  })

  it('runs again the one shard of a thread that died, and no other', async () => {
    const ran: number[] = []
    let deaths = 0
    const pool = makePool(3, (shard) => {
      ran.push(shard)
      if (shard === 4 && deaths++ === 0) throw new Error('died')
    })
    const done: number[] = []
    await runShards(pool, 'task', 20, {}, { onShards: (count) => done.push(count) })
    expect(ran).toHaveLength(21)
    expect(ran.filter((shard) => shard === 4)).toHaveLength(2)
  })

  it('throws what failed twice', async () => {
    const pool = makePool(2, (shard) => {
      if (shard === 4) throw new Error('out of memory')
    })
    await expect(runShards(pool, 'task', 20, {})).rejects.toThrow('out of memory')
  })

  it('takes no shard after an abort or a stop', async () => {
    const controller = new AbortController()
    const ran: number[] = []
    const aborting = makePool(2, (shard) => {
      ran.push(shard)
      if (ran.length === 3) controller.abort('enough')
    })
    await expect(runShards(aborting, 'task', 20, {}, { signal: controller.signal })).rejects.toBe('enough')
    expect(ran.length).toBeLessThanOrEqual(4)

    let count = 0
    const stopping = makePool(2, (_shard, board) => {
      if (++count === 3) stopShards(board)
    })
    await runShards(stopping, 'task', 20, {})
    expect(count).toBeLessThanOrEqual(4)
  })
})

describe('runInPlace', () => {
  it('starts a shard again from the rows that it had when its thread dies', async () => {
    const padded = 8
    const shards = 5
    const rows = 4 * shards
    const values = sharedFloat32(rows * padded)
    values.forEach((_, at) => {
      values[at] = at
    })
    const bounds = sharedFloat64(2 * shards)
    for (let shard = 0; shard < shards; shard++) bounds.set([4 * shard, 4 * shard + 4], 2 * shard)
    let deaths = 0
    const run = async (_task: string, message: unknown) => {
      const task = message as InPlaceTask
      for (const shard of takeInPlace(task)) {
        for (let at = bounds[2 * shard] * padded; at < bounds[2 * shard + 1] * padded; at++) {
          task.values[at] *= -1
          // In the middle of shard 3, the first time.
          if (at % (4 * padded) === 9 && shard === 3 && deaths++ === 0) throw new Error('died')
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const bench = {
      pool: { threads: 2, run },
      share: { layout: { padded } },
      kept: makeKeptRows(2, 4, padded),
      running: {},
    } as unknown as Workbench
    await runInPlace<typeof rebaseShards>(bench, 'task', { count: shards, bounds }, { values })
    expect(deaths).toBeGreaterThan(0)
    expect([...values]).toEqual(Array.from({ length: rows * padded }, (_, at) => -at))
  })
})

describe('createWorkerPool', () => {
  it('brings arrays of more than 4 GiB to its threads whole', async () => {
    // Only the pages of the last row are ever touched.
    const rows = 2 ** 27 + 100
    const factors = new Float32Array(new SharedArrayBuffer(4 * 8 * rows))
    const pool = createWorkerPool({ threads: 1 })
    const bounds = Float64Array.of(rows - 1, rows)
    await runShards<typeof initializeShards>(pool, 'initializeShards', 1, { bounds, factors, k: 8, padded: 8, seed: 1 })
    await pool.close()
    expect(factors.subarray(-8).every((value) => value !== 0)).toBe(true)
  })

  it.each([0, -1, 1.5, Number.NaN, 4096])('refuses %d threads', (threads) => {
    expect(() => createWorkerPool({ threads })).toThrow(/threads is .*expected an integer from 1 to 1024/)
  })
})
