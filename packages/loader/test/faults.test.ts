import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LoadOptions, loadInteractions } from '../src/index.ts'
import { failure } from './failure.ts'
import { pairColumns, signals, temporaryFolder, writeParquet } from './parquet-files.ts'

const folder = temporaryFolder()
const temporaryDirectory = temporaryFolder()
const rows = signals(30_000, 300, 200, 51)
const uri = join(folder, 'haves')
const part = (index: number) => join(uri, `part-${index}.parquet`)

function load(more: Partial<LoadOptions> = {}) {
  const thresholds = { user: 20, item: 50 }
  return loadInteractions({ sources: [{ name: 'haves', uri }], thresholds, threads: 2, temporaryDirectory, ...more })
}

const workers: { worker: Worker; ended: boolean }[] = []
const watch = (worker: Worker) => {
  const entry = { worker, ended: false }
  workers.push(entry)
  worker.once('exit', () => {
    entry.ended = true
  })
}

beforeEach(() => {
  rmSync(uri, { recursive: true, force: true })
  for (let index = 0; index < 3; index++) {
    const some = rows.slice(index * 10_000, (index + 1) * 10_000)
    writeParquet(part(index), pairColumns(some), { rowGroupSize: 2500 })
  }
  process.on('worker', watch)
})

afterEach(() => {
  process.off('worker', watch)
  // Whatever happened: no thread and no temporary file is left.
  expect(workers.every(({ ended }) => ended)).toBe(true)
  expect(readdirSync(temporaryDirectory)).toEqual([])
  workers.length = 0
})

describe('a file', () => {
  test('that is truncated is refused by name', async () => {
    writeFileSync(part(1), readFileSync(part(1)).subarray(0, 5000))
    const error = await failure(load())
    expect(error).toMatchObject({ code: 'truncated', file: part(1) })
    expect(error.message).toContain('does not end as a Parquet file does ("PAR1")')
    writeFileSync(part(1), 'PAR1')
    expect((await failure(load())).message).toBe(`${part(1)} has 4 bytes: too short for a Parquet file.`)
  })

  test('that lost its middle is refused by name, row group and column', async () => {
    const bytes = readFileSync(part(2))
    writeFileSync(part(2), Buffer.concat([bytes.subarray(0, 4), bytes.subarray(bytes.length - 2000)]))
    const error = await failure(load())
    expect(error).toMatchObject({ code: 'truncated', file: part(2), rowGroup: 0, column: 'user_id' })
  })

  test('with a page that does not decode ends the load, naming the row group', async () => {
    const bytes = readFileSync(part(1))
    bytes.fill(0xff, 40, 400)
    writeFileSync(part(1), bytes)
    const error = await failure(load())
    expect(error).toMatchObject({ code: 'corrupt', file: part(1), rowGroup: 0 })
    expect(error.message).toMatch(/row group 0 cannot be decoded: .*The file is damaged; write it again\./)
  })

  test('that changes between the passes is an error', async () => {
    const onProgress: LoadOptions['onProgress'] = ({ phase }) => {
      if (phase === 'scatter') writeParquet(part(2), pairColumns(rows))
    }
    expect(await failure(load({ onProgress }))).toMatchObject({ code: 'changed', file: part(2) })
  })

  test('that is deleted between the passes is an error', async () => {
    const onProgress: LoadOptions['onProgress'] = ({ phase }) => {
      if (phase === 'scatter') rmSync(part(0), { force: true })
    }
    expect(await failure(load({ onProgress }))).toMatchObject({ code: 'missing', file: part(0) })
  })
})

test('a worker that is killed ends the load with an error', async () => {
  const onProgress: LoadOptions['onProgress'] = ({ phase, rows }) => {
    if (phase === 'scatter' && rows > 0) workers[0].worker.terminate()
  }
  const error = await failure(load({ onProgress, threads: 1 }))
  expect(error.code).toBe('worker')
  expect(error.message).toMatch(/A worker thread ended.*use fewer threads or a memoryBudget/)
})

describe('an abort', () => {
  test.each(['plan', 'count', 'scatter', 'merge', 'transpose'] as const)(
    'during %s ends at once with its reason',
    async (phase) => {
      const controller = new AbortController()
      const reason = new Error('the user left')
      const options: Partial<LoadOptions> = {
        signal: controller.signal,
        onProgress: (progress) => {
          if (progress.phase === phase) controller.abort(reason)
        },
      }
      await expect(load(options)).rejects.toBe(reason)
      await expect(load({ ...options, memoryBudget: 1.2e6 })).rejects.toBe(reason)
    },
  )
})

test('a full disk under the temporary files is an error that says what to do', async () => {
  const module = new URL('../src/index.ts', import.meta.url).href
  const program = `
    import { loadInteractions } from '${module}'
    await loadInteractions({
      sources: [{ name: 'haves', uri: '${uri}' }], thresholds: { user: 20, item: 50 }, threads: 1,
      memoryBudget: 6e5, temporaryDirectory: '${temporaryDirectory}',
    }).catch((error) => console.log(error.code, error.message))`
  // A limit on the size of files, of 4 KB, is the full disk that needs no privileges.
  const script = `ulimit -f 4; exec "$0" --input-type=module -e "$1"`
  const output = execFileSync('bash', ['-c', script, process.execPath, program], { encoding: 'utf8' })
  expect(output).toMatch(
    /^disk The temporary folder .* is full \((EFBIG|ENOSPC)\)\. Free space, or set temporaryDirectory/,
  )
})
