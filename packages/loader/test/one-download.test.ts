import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LoadOptions, type LoadProgress, loadInteractions, planLoad } from '../src/index.ts'
import { parquetBytes, ratingColumns, signals, temporaryFolder } from './parquet-files.ts'
import { linesOf, referenceLoad } from './reference.ts'
import { testServer } from './s3-server.ts'

const server = testServer()
const folder = temporaryFolder()
const rows = signals(20_000, 300, 200, 7)
const expected = referenceLoad(
  rows.map((row) => ({ ...row, value: 3 })),
  { user: 20, item: 50 },
)

beforeAll(async () => {
  for (let part = 0; part < 5; part++) await put(part)
})

beforeEach(() => {
  server.fault = undefined
  server.gets.length = 0
})

function put(part: number, more: number[] = []): Promise<void> {
  const columns = ratingColumns([
    ...rows.slice(part * 4000, (part + 1) * 4000),
    ...more.map((item) => ({ user: 1, item })),
  ])
  return server.put(`haves/${part}.parquet`, parquetBytes(columns, { rowGroupSize: 1000 }))
}

function options(more: Partial<LoadOptions> = {}): LoadOptions {
  const { endpoint, credentials } = server
  return {
    sources: [{ name: 'haves', uri: 's3://shop/haves/', confidence: 3 }],
    thresholds: { user: 20, item: 50 },
    s3: { endpoint, credentials },
    temporaryDirectory: folder,
    // More than is there, whatever the disk is: a folder in memory is taken too.
    downloadBudget: 1e9,
    threads: 2,
    ...more,
  }
}

/** Requests for footers, bytes fetched besides, and those of them that were fetched before. */
function fetched(): { data: number; overlapping: number; footers: number } {
  const seen = new Map<string, [number, number][]>()
  let data = 0
  let footers = 0
  for (const get of server.gets) {
    const [, key, start, end] = /^(\S+) bytes=(\d+)-(\d+)$/.exec(get)!
    const range: [number, number] = [Number(start), Number(end) + 1]
    // The first request for an object is its footer.
    if (!seen.has(key)) {
      seen.set(key, [])
      footers++
      continue
    }
    seen.get(key)!.push(range)
    data += range[1] - range[0]
  }
  let overlapping = 0
  for (const ranges of seen.values()) {
    ranges.sort((a, b) => a[0] - b[0])
    for (let i = 1; i < ranges.length; i++) overlapping += Math.max(0, ranges[i - 1][1] - ranges[i][0])
  }
  return { data, overlapping, footers }
}

describe('what the first pass fetched', () => {
  test('the second reads from local disk: each needed byte is fetched once', async () => {
    const loaded = await loadInteractions(options())
    expect(linesOf(loaded)).toEqual(expected)
    const { bytes, disk } = loaded.plan
    expect(disk).toMatchObject({ folder, kept: bytes, fetchedAgain: 0, spill: 0 })
    expect(disk.reason).toBeUndefined()
    expect(fetched()).toEqual({ data: bytes, overlapping: 0, footers: 5 })
    expect(loaded.stats).toMatchObject({ bytes, keptBytes: bytes })
    expect(readdirSync(folder)).toEqual([])
  })

  test('is fetched again beyond the budget, and the plan says how much', async () => {
    const whole = await planLoad(options())
    server.gets.length = 0
    const loaded = await loadInteractions(options({ downloadBudget: 0.4 * whole.bytes }))
    expect(linesOf(loaded)).toEqual(expected)
    const { kept, fetchedAgain, reason } = loaded.plan.disk
    expect(kept).toBeGreaterThan(0.3 * whole.bytes)
    expect(kept).toBeLessThanOrEqual(0.4 * whole.bytes)
    expect(kept + fetchedAgain).toBe(whole.bytes)
    expect(reason).toMatch(/^downloadBudget is 0\.\d MB$/)
    expect(fetched().data).toBe(whole.bytes + fetchedAgain)
    expect(loaded.stats).toMatchObject({ bytes: whole.bytes + fetchedAgain, keptBytes: kept })
  })

  test('is fetched again with a budget of 0, or where nothing can be written, and the plan says why', async () => {
    const none = await loadInteractions(options({ downloadBudget: 0 }))
    expect(linesOf(none)).toEqual(expected)
    expect(none.plan.disk).toMatchObject({ kept: 0, fetchedAgain: none.plan.bytes, reason: 'downloadBudget is 0' })
    expect(none.stats).toMatchObject({ bytes: 2 * none.plan.bytes, keptBytes: 0 })
    const absent = await planLoad(options({ temporaryDirectory: join(folder, 'absent') }))
    expect(absent.disk.reason).toBe('temporaryDirectory cannot be written to (ENOENT)')
    expect(absent.disk.kept).toBe(0)
  })

  test('is fetched again by those row groups whose disk was full meanwhile', async () => {
    // A device that is always full, in place of the temporary file.
    const disk = '/dev/full'
    if (!existsSync(disk)) return
    const { keepRanges } = await import('../src/storage/kept-ranges.ts')
    const { closeSync, openSync } = await import('node:fs')
    const descriptor = openSync(disk, 'w')
    expect(await keepRanges({ descriptor, at: 0, ranges: [[0, 4]] }, [new Uint8Array(4)])).toBe(false)
    closeSync(descriptor)
  })

  test('is what was listed, even if the object changes or disappears between the passes', async () => {
    let phase = ''
    server.fault = async () => {
      if (phase === 'scatter') throw new Error('nothing is left to fetch')
      return false
    }
    const loaded = await loadInteractions(
      options({
        onProgress: (progress: LoadProgress) => {
          if (progress.phase === 'scatter' && phase !== 'scatter') void server.remove('haves/3.parquet')
          phase = progress.phase
        },
      }),
    )
    expect(linesOf(loaded)).toEqual(expected)
    await put(3)
  })

  test('of an object that changes during the first pass is an error', async () => {
    let changed = false
    server.fault = async () => {
      if (server.gets.length > 5 && !changed) {
        changed = true
        for (let part = 0; part < 5; part++) await put(part, [7])
      }
      return false
    }
    await expect(loadInteractions(options())).rejects.toMatchObject({ code: 'changed' })
    server.fault = undefined
    for (let part = 0; part < 5; part++) await put(part)
    expect(readdirSync(folder)).toEqual([])
  })

  test('leaves nothing behind when the load is aborted in either pass', async () => {
    for (const phase of ['count', 'scatter'] as const) {
      const controller = new AbortController()
      const onProgress = (progress: LoadProgress) => {
        if (progress.phase === phase && progress.rows > 0) controller.abort(new Error('enough'))
      }
      await expect(loadInteractions(options({ signal: controller.signal, onProgress }))).rejects.toThrow('enough')
      expect(readdirSync(folder)).toEqual([])
    }
  })

  test('goes together with rows that wait in files', async () => {
    const loaded = await loadInteractions(options({ memoryBudget: 1.2e6 }))
    expect(linesOf(loaded)).toEqual(expected)
    expect(loaded.plan).toMatchObject({ spill: true, disk: { kept: loaded.plan.bytes } })
    expect(loaded.stats.bytes).toBe(loaded.plan.bytes)
    expect(loaded.stats.spilledBytes).toBeGreaterThan(0)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('temporary files of rows', () => {
  test('are planned, and refused before anything is read where there is no folder for them', async () => {
    const { disk } = await planLoad(options({ memoryBudget: 1.2e6 }))
    expect(disk.spill).toBeGreaterThan(20_000 * 8)
    expect(disk.free).toBeGreaterThan(disk.spill)
    const refused = loadInteractions(options({ memoryBudget: 1.2e6, temporaryDirectory: join(folder, 'absent') }))
    await expect(refused).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringMatching(/temporaryDirectory: .*absent cannot be written to \(ENOENT\)/),
    })
  })

  test('take no more than planned', async () => {
    mkdirSync(join(folder, 'spill'), { recursive: true })
    const temporaryDirectory = join(folder, 'spill')
    let peak = 0
    const { statSync } = await import('node:fs')
    const onProgress = () => {
      const files = readdirSync(temporaryDirectory, { recursive: true, withFileTypes: true })
      const sizes = files.map(
        (file) => statSync(join(file.parentPath, file.name), { throwIfNoEntry: false })?.size ?? 0,
      )
      peak = Math.max(
        peak,
        files.reduce((sum, file, i) => sum + (file.isFile() ? sizes[i] : 0), 0),
      )
    }
    const loaded = await loadInteractions(
      options({
        memoryBudget: 1.2e6,
        downloadBudget: 0,
        temporaryDirectory,
        thresholds: { user: 1, item: 1 },
        onProgress,
      }),
    )
    expect(peak).toBeGreaterThan(0)
    expect(peak).toBeLessThanOrEqual(loaded.plan.disk.spill)
  })
})
