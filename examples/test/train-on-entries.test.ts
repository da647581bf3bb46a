import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModel, train } from '@seesaw/als-core'
import { type LoadedInteractions, loadInteractions } from '@seesaw/loader'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { Program } from './program.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entries-'))
  await writeCatalogue({ directory: folder, users: 400, releases: 300, seed: 5 })
})
afterAll(() => rm(folder, { recursive: true }))

const training = { factors: 8, iterations: 3, regularization: 0.1, seed: 42, threads: 2 }

test('entries that DuckDB merged, read as they are, are those of the loader’s own passes', async () => {
  const entries = join(folder, "somebody's entries")
  const environment = {
    VECTOR_DIM: String(training.factors),
    ITERATIONS: String(training.iterations),
    THREADS: String(training.threads),
    OUTPUT_DIR: join(folder, 'model'),
  }
  const merge = new Program(
    'train-on-entries.ts',
    {
      ...environment,
      HAVES: join(folder, 'haves'),
      WANTS: join(folder, 'wants'),
      RATINGS: join(folder, 'ratings'),
      MIN_USER_INTERACTIONS: '30',
      MIN_ITEM_INTERACTIONS: '60',
    },
    ['--entries', entries, '--merge', 'duckdb'],
  )
  expect(await merge.end(), merge.stderr).toEqual({ code: 0, signal: null })
  const loaded = await loadInteractions({
    sources: [
      { name: 'haves', confidence: 3 },
      { name: 'wants', confidence: 1.5 },
      { name: 'ratings', confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } } },
    ].map((source) => ({ ...source, uri: join(folder, source.name), item: 'release_id' })),
    thresholds: { user: 30, item: 60 },
    threads: 2,
  })
  expect(loaded.stats.users.active).toBeLessThan(loaded.stats.users.seen)
  expect(loaded.stats.items.active).toBeLessThan(loaded.stats.items.seen)
  const read = await loadInteractions({
    sources: [
      { name: 'entries', uri: entries, user: 'user', item: 'item', confidence: { column: 'value', weight: 'linear' } },
    ],
    thresholds: { user: 1, item: 1 },
    threads: 2,
  })
  expect(linesOf(read)).toEqual(linesOf(loaded))
  const { matrix, userIds, itemIds } = read
  const own = await train(matrix, { ...training, userIds, itemIds })
  const model = await loadModel(join(folder, 'model'))
  expect(model.userFactors).toEqual(own.userFactors)
  expect(model.itemFactors).toEqual(own.itemFactors)

  const again = new Program('train-on-entries.ts', environment, ['--entries', entries])
  expect(await again.end(), again.stderr).toEqual({ code: 0, signal: null })
  expect(again.stdout).toContain(`${matrix.users} users × ${matrix.items} items, ${matrix.entries} entries`)
  expect((await loadModel(join(folder, 'model'))).itemFactors).toEqual(own.itemFactors)
})

/** Entries as lines "user item value". */
function linesOf({ matrix, userIds, itemIds }: LoadedInteractions): string[] {
  const { csr, codebook } = matrix
  const lines: string[] = []
  for (let user = 0; user < matrix.users; user++) {
    for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
      const value = codebook ? codebook[csr.values[e]] : csr.values[e]
      lines.push(`${userIds.at(user)} ${itemIds.at(csr.indices[e])} ${value}`)
    }
  }
  return lines
}

test('what is missing is said', async () => {
  const program = new Program('train-on-entries.ts', {})
  expect((await program.end()).code).toBe(2)
  expect(program.stderr).toContain('--entries: not set: name the folder of merged entries')
})
