/** Two runs that share a directory for a while. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AlsModel, CheckpointError, createWorkerPool, loadModel, saveModel, train } from '../src/index.ts'
import { inOwnDirectory } from '../src/model/lock-directory.ts'
import { makeMatrix } from './reference.ts'
import { matrix, same, smallMatrix, startChild } from './training.ts'

const pool = createWorkerPool({ threads: 1 })
afterAll(() => pool.close())

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'overlap-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const namespaceOf = () => (existsSync('/proc/self/ns/pid') ? readlinkSync('/proc/self/ns/pid') : '')
const shared = (length: number, value: number) => new Float32Array(new SharedArrayBuffer(4 * length)).fill(value)

describe('models saved at the same time', () => {
  let small: AlsModel
  let large: AlsModel
  beforeAll(async () => {
    small = await train(makeMatrix([1, 2, 3], 5), { factors: 64, iterations: 1, pool })
    // Several record batches, so that the others begin and end while this one is being written.
    large = { ...small, users: 200_000, userFactors: shared(200_000 * 64, 0.5) }
  })

  it('leave a whole one, whichever ends last', async () => {
    const outcomes = await Promise.all([
      saveModel(large, directory).then(() => 'large'),
      ...Array.from({ length: 8 }, async (_, n) => {
        await new Promise((resolve) => setTimeout(resolve, 15 * n))
        await saveModel({ ...small, interactionCounts: Uint32Array.of(n, n, n, n, n) }, directory)
        return 'small'
      }),
    ])
    expect(outcomes).toHaveLength(9)
    expect([3, 200_000]).toContain((await loadModel(directory)).users)
    await saveModel(small, directory)
    expect((await loadModel(directory)).users).toBe(3)
  })

  it('are loaded whole while others take their place', async () => {
    await saveModel(small, directory)
    let saving = true
    const writer = (async () => {
      for (let n = 0; n < 30; n++) await saveModel(small, directory)
      saving = false
    })()
    let loaded = 0
    while (saving) {
      expect((await loadModel(directory)).users).toBe(3)
      loaded++
    }
    await writer
    expect(loaded).toBeGreaterThan(3)
  })

  it('take what a run that was killed has left, and nothing else', async () => {
    const [ours, foreign] = ['users-00000001.arrow', 'users-notes.arrow']
    for (const name of [ours, foreign]) writeFileSync(join(directory, name), 'half')
    await saveModel(small, directory)
    expect(existsSync(join(directory, ours))).toBe(false)
    expect(readFileSync(join(directory, foreign), 'utf8')).toBe('half')
    expect(readdirSync(directory).sort()).toEqual([
      expect.stringMatching(/^items-\w{8}\.arrow$/),
      'manifest.json',
      expect.stringMatching(/^users-[0-9a-f]{8}\.arrow$/),
      foreign,
    ])
  })
})

describe('a directory', () => {
  it("is one writer's at a time, also of writers of this process that begin a few ms apart", async () => {
    const dead = { token: 'x', pid: 2 ** 22 + 1, host: hostname(), namespace: namespaceOf(), since: '2026-01-01' }
    let most = 0
    const overlap = async (round: number) => {
      const place = join(directory, String(round))
      mkdirSync(place)
      if (round % 2) writeFileSync(join(place, 'lock.json'), JSON.stringify(dead))
      let inside = 0
      const order: number[] = []
      const write = async (delay: number) => {
        await new Promise((resolve) => setTimeout(resolve, delay))
        await inOwnDirectory(place, async () => {
          order.push(delay)
          most = Math.max(most, ++inside)
          await new Promise((resolve) => setTimeout(resolve, 60))
          inside--
        })
      }
      // Within the first 50 ms the first looks once more whether the lock is its own.
      await Promise.all([write(0), write(10 + 2 * (round % 24)), write(70)])
      if (round % 2 === 0) expect(order[0]).toBe(0)
      expect(readdirSync(place)).toEqual([])
    }
    await Promise.all(Array.from({ length: 40 }, (_, round) => overlap(round)))
    expect(most).toBe(1)
  })
})

describe('a checkpoint', () => {
  const lock = () => join(directory, 'lock.json')
  const options = { factors: 16, iterations: 2, pool }

  it('is refused to a second training, which says who has it', async () => {
    const go = join(directory, 'go')
    const child = startChild('./lock-child.ts', [directory, go])
    const saved = join(directory, 'checkpoint.json')
    while (!existsSync(saved)) await new Promise((resolve) => setTimeout(resolve, 5))
    const training = { ...options, iterations: 4, checkpoint: { directory } }
    const error = await train(smallMatrix, training).catch((error) => error)
    writeFileSync(go, '')
    const { code } = await child.ended
    expect(error).toBeInstanceOf(CheckpointError)
    expect(error.message).toContain(`is in use by process ${child.pid} on ${hostname()}, since 20`)
    expect(code).toBeNull()
    // The child has killed itself: its lock is there, and nobody waits for it.
    expect(existsSync(lock())).toBe(true)
    expect((await train(smallMatrix, training)).history).toHaveLength(4)
    expect(existsSync(lock())).toBe(false)
  })

  it('is refused to another training of the same process, and free when the first has ended', async () => {
    const both = await Promise.allSettled([
      train(matrix, { ...options, checkpoint: { directory } }),
      train(matrix, { ...options, checkpoint: { directory } }),
    ])
    const reasons = both.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(reasons.map(({ name }) => name)).toEqual(['CheckpointError'])
    const again = await train(matrix, { ...options, checkpoint: { directory } })
    const alone = await train(matrix, options)
    expect(same(again.itemFactors, alone.itemFactors)).toBe(true)
  })

  it('of a run on another machine is refused while that run gives signs', async () => {
    const owner = { token: 'x', pid: 1, host: 'elsewhere', namespace: '', since: '2026-01-01' }
    writeFileSync(lock(), JSON.stringify(owner))
    const beat = setInterval(() => utimesSync(lock(), new Date(), new Date()), 200)
    const error = await train(matrix, { ...options, checkpoint: { directory } }).catch((error) => error)
    clearInterval(beat)
    expect(error.message).toContain('is in use by process 1 on elsewhere')
  })

  it('of a run on another machine that gives none is taken over, and the wait can be aborted', async () => {
    const owner = { token: 'x', pid: 1, host: 'elsewhere', namespace: '', since: '2026-01-01' }
    writeFileSync(lock(), JSON.stringify(owner))
    const signal = AbortSignal.timeout(100)
    const aborted = await train(matrix, { ...options, checkpoint: { directory }, signal }).catch((error) => error)
    expect(aborted.name).toBe('TrainingAborted')
    expect((await train(matrix, { ...options, checkpoint: { directory } })).history).toHaveLength(2)
  })

  it('of a process with this number that is not this one is taken over', async () => {
    const owner = { token: 'x', pid: process.pid, host: hostname(), namespace: namespaceOf(), since: '2026-01-01' }
    writeFileSync(lock(), JSON.stringify(owner))
    expect((await train(matrix, { ...options, checkpoint: { directory } })).history).toHaveLength(2)
  })
})
