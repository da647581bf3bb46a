import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModel, saveModel, train } from '@seesaw/als-core'
import { loadInteractions, planLoad } from '@seesaw/loader'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { readConfiguration } from '../configuration/read-configuration.ts'
import { largestMatrix, modelBytes } from '../pipeline/estimate.ts'
import { checkSpace } from '../pipeline/folders.ts'
import { loadOptions } from '../pipeline/load.ts'
import recordShop from '../seesaw.config.ts'
import { Program } from './program.ts'

// Child processes on a busy machine take their time; no time is asserted here.
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'check-'))
  await writeCatalogue({ directory: folder, users: 300, releases: 200, seed: 1 })
})
afterAll(() => rm(folder, { recursive: true }))

const environment = (output: string, more: Record<string, string> = {}): Record<string, string> => ({
  HAVES: join(folder, 'haves'),
  SAMPLE_FRAC_HAVES: '1',
  MIN_USER_INTERACTIONS: '5',
  MIN_ITEM_INTERACTIONS: '5',
  VECTOR_DIM: '8',
  ITERATIONS: '2',
  THREADS: '2',
  OUTPUT_DIR: join(folder, output),
  ...more,
})

function write(name: string, columns: Record<string, number[] | string[]>): string {
  const filename = join(folder, name)
  parquetWriteFile({ filename, columnData: Object.entries(columns).map(([name, data]) => ({ name, data })) })
  return filename
}

describe.concurrent('before the first pass', () => {
  test.for([
    [
      'an id of another type',
      () => ({ RELEASES: write('strings.parquet', { release_id: ['a'], title: ['T'] }) }),
      /strings\.parquet: column "release_id": found utf8, expected an integer/,
    ],
    [
      'a catalogue without the id',
      () => ({ RELEASES: write('nameless.parquet', { sku: [1], title: ['T'] }) }),
      /nameless\.parquet: column "release_id": found no such column \(it has: sku, title\)/,
    ],
    [
      'a source without its column, and a server that does not answer',
      () => ({
        WANTS: write('wants.parquet', { user: [1], release_id: [1] }),
        QDRANT_URL: 'http://127.0.0.1:9',
      }),
      /wants\.parquet: column "user_id"[\s\S]*Qdrant at http:\/\/127\.0\.0\.1:9 does not answer: check QDRANT_URL/,
    ],
    ['no catalogue', () => ({ RELEASES: join(folder, 'haves', '*.nothing') }), /no Parquet file at .*nothing/],
  ] as const)('%s is known', async ([name, more, message]) => {
    const output = name.replaceAll(/\W/g, '-')
    const program = new Program('train.ts', environment(output, more()))
    expect((await program.end()).code).toBe(1)
    expect(program.stderr).toMatch(message)
    expect(program.stderr).not.toMatch(/^load/m)
    expect(existsSync(join(folder, output))).toBe(false)
  })

  test('every folder that cannot be written to is known, and the exit code is 2', async () => {
    const file = write('file.parquet', { a: [1] })
    const more = { CHECKPOINT_DIR: join(file, 'checkpoint'), TMPDIR: join(folder, 'nonexistent') }
    const program = new Program('train.ts', environment(join('file.parquet', 'model'), more))
    expect((await program.end()).code).toBe(2)
    expect(program.stderr).toMatch(/^3 settings are not usable:\n {2}OUTPUT_DIR=.*model: .*expected a folder/)
    expect(program.stderr).toMatch(/\n {2}CHECKPOINT_DIR=.*checkpoint: /)
    expect(program.stderr).toMatch(/\n {2}TMPDIR=.*nonexistent: there is no such folder, .* Set WORK_DIR or TMPDIR/)
  })

  test.skipIf(process.getuid?.() === 0)('a folder without the right to write', async () => {
    const closed = join(folder, 'closed')
    mkdirSync(closed)
    chmodSync(closed, 0o500)
    const program = new Program('train.ts', environment('closed/model'))
    expect((await program.end()).code).toBe(2)
    expect(program.stderr).toMatch(/OUTPUT_DIR=.*: no right to write there/)
  })
})

test('a model of other factors is not what the training starts from', async () => {
  const first = new Program('train.ts', environment('model', { TMPDIR: join(folder) }))
  expect(await first.end(), first.stderr).toEqual({ code: 0, signal: null })
  const next = environment('next', { INITIAL_MODEL: join(folder, 'model'), VECTOR_DIM: '16' })
  const program = new Program('train.ts', next)
  expect((await program.end()).code).toBe(1)
  expect(program.stderr).toMatch(/has 8 factors, expected 16\. Set VECTOR_DIM=8/)
  expect(program.stderr).not.toMatch(/^load/m)
})

test('columns that the catalogue does not have are null; no folder but WORK_DIR and OUTPUT_DIR is written to', async () => {
  const work = join(folder, 'work')
  mkdirSync(work)
  const RELEASES = write('titles.parquet', {
    release_id: Array.from({ length: 9 }, (_, i) => 100_000 + i),
    title: 'abcdefghi'.split(''),
  })
  const program = new Program('train.ts', environment('titles', { RELEASES, WORK_DIR: work, TMPDIR: '/nonexistent' }))
  expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
  expect(program.stderr).toMatch(/9 releases \(without artists, year, styles, labels, country, genres\)/)
  expect((await loadModel(join(folder, 'titles'))).factors).toBe(8)
  expect(await readdir(work)).toEqual([])
})

test('--check prints the plan and begins nothing', async () => {
  const more = { RELEASES: join(folder, 'releases'), CHECKPOINT_DIR: join(folder, 'checkpoint-unmade') }
  const program = new Program('train.ts', environment('unmade', more), ['--check'])
  expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
  for (const text of [
    /│ haves +│ +1 │/,
    /│ releases +│ +1 │ +200 │/,
    /train, 2 iterations/,
    /unmade +│ the model/,
    /checkpoints/,
  ]) {
    expect(program.stdout).toMatch(text)
  }
  expect(program.stderr).not.toMatch(/^load/m)
  expect([existsSync(join(folder, 'unmade')), existsSync(more.CHECKPOINT_DIR)]).toEqual([false, false])
})

test('what --check says a run takes at most is not exceeded', async () => {
  const configuration = readConfiguration(recordShop, environment('bounds'))
  const { signal } = new AbortController()
  const plan = await planLoad(loadOptions(configuration, signal))
  const { matrix, userIds, itemIds } = await loadInteractions(loadOptions(configuration, signal))
  const most = largestMatrix(configuration, plan)
  expect(matrix.users).toBeLessThanOrEqual(most.users)
  expect(matrix.items).toBeLessThanOrEqual(most.items)
  expect(matrix.entries).toBeLessThanOrEqual(most.entries)
  const model = await train(matrix, {
    ...configuration.training,
    unobservedWeight: undefined,
    iterations: 1,
    threads: 2,
    userIds,
    itemIds,
  })
  const directory = join(folder, 'bounds')
  await saveModel(model, directory, { interactions: matrix })
  const sizes = await Promise.all(
    (await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size),
  )
  const saved = sizes.reduce((sum, size) => sum + size, 0)
  // Beside the manifest and the schemas, which have a size of their own.
  expect(saved).toBeLessThanOrEqual(modelBytes(configuration, matrix) + 20_000)
  expect(saved).toBeGreaterThan(0.4 * modelBytes(configuration, matrix))
})

test('a load that needs more memory than there is goes through files, or is refused before it begins', async () => {
  const tight = new Program('train.ts', environment('tight', { MEMORY_LIMIT: '10MB' }))
  expect((await tight.end()).code).toBe(1)
  expect(tight.stderr).toMatch(/The load may take \d+ MB, .* and this process may use 10\.0 MB\. Take fewer users/)
  expect(tight.stderr).not.toMatch(/^load/m)
  // The load fits; a training of so many factors does not.
  const many = new Program('train.ts', environment('many', { MEMORY_LIMIT: '220MB', VECTOR_DIM: '4096' }))
  expect((await many.end()).code).toBe(1)
  expect(many.stderr).toMatch(/^load +done/m)
  expect(many.stderr).toMatch(/with 4096 factors, and this process may use 220 MB\. Set VECTOR_DIM=\d+/)
  expect(many.stderr).not.toMatch(/^train/m)
})

test('room on a disk is asked for in words', () => {
  expect(() => checkSpace(folder, 1, 'The model', '')).not.toThrow()
  expect(() => checkSpace(join(folder, 'new'), 1e14, 'The model', 'Set OUTPUT_DIR.')).toThrow(
    /^The model takes 100 TB, and the disk of .*new has .* left\. Set OUTPUT_DIR\.$/,
  )
})
