import { mkdtemp, rm, watch } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadModel } from '@seesaw/als-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { Program } from '../test/program.ts'

// Child processes on a busy machine take their time; no time is asserted here.
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'restart-'))
  await writeCatalogue({ directory: folder, users: 3000, releases: 1500, seed: 1 })
})
afterAll(() => rm(folder, { recursive: true }))

const environment = (output: string, more: Record<string, string> = {}): Record<string, string> => ({
  HAVES: join(folder, 'haves'),
  SAMPLE_FRAC_HAVES: '1',
  VECTOR_DIM: '32',
  ITERATIONS: '200',
  THREADS: '2',
  OUTPUT_DIR: join(folder, output),
  ...more,
})

test('killed while it trains and started again, it goes on, to the same model', async () => {
  const CHECKPOINT_DIR = await mkdtemp(join(folder, 'checkpoint-'))
  const killed = new Program('train.ts', environment('model', { CHECKPOINT_DIR }))
  await killed.until(appears(CHECKPOINT_DIR, 'checkpoint.json'))
  killed.kill('SIGKILL')
  expect((await killed.end()).signal).toBe('SIGKILL')

  const restarted = new Program('train.ts', environment('model', { CHECKPOINT_DIR }))
  expect(await restarted.end(), restarted.stderr).toEqual({ code: 0, signal: null })
  const after = Number(/200 iterations of .* s, resumed after (\d+), loss/.exec(restarted.stderr)?.[1])
  expect(after).toBeGreaterThanOrEqual(1)
  expect(after).toBeLessThan(200)

  const whole = new Program('train.ts', environment('whole'))
  expect(await whole.end(), whole.stderr).toEqual({ code: 0, signal: null })
  expect(whole.stderr).not.toContain('resumed')
  const [model, reference] = await Promise.all(['model', 'whole'].map((name) => loadModel(join(folder, name))))
  expect(Buffer.from(model.userFactors.buffer).equals(Buffer.from(reference.userFactors.buffer))).toBe(true)
  expect(Buffer.from(model.itemFactors.buffer).equals(Buffer.from(reference.itemFactors.buffer))).toBe(true)

  // The next night has other data, and the checkpoint is overwritten.
  const next = { CHECKPOINT_DIR, ITERATIONS: '3', MIN_USER_INTERACTIONS: '25' }
  const nextNight = new Program('train.ts', environment('next', next))
  expect(await nextNight.end(), nextNight.stderr).toEqual({ code: 0, signal: null })
  expect(nextNight.stderr).toMatch(/3 iterations of .* s, loss/)
})

test('the first night starts at random, the next from the model of the night before', async () => {
  const environmentOf = (iterations: string) =>
    environment('nightly', { INITIAL_MODEL: join(folder, 'nightly'), ITERATIONS: iterations })
  const run = async (iterations: string): Promise<[string, number]> => {
    const program = new Program('train.ts', environmentOf(iterations))
    expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
    return [program.stderr, (await loadModel(join(folder, 'nightly'))).history.at(-1)!.loss]
  }
  const [first, trained] = await run('15')
  expect(first).toMatch(/no model in .*nightly yet: a random start/)
  const [second, again] = await run('1')
  expect(second).toMatch(/starts from [\d,]+ users and [\d,]+ items of .*nightly/)
  expect(again).toBeLessThan(trained)
})

test('TUNE finds the options, and the next night starts from what it found', async () => {
  const run = async (more: Record<string, string>): Promise<Program> => {
    const journal = {
      TUNE: 'true',
      TUNE_JOURNAL: join(folder, 'journal', 'tune.jsonl'),
      VECTOR_DIM: '8',
      ITERATIONS: '3',
    }
    const program = new Program('train.ts', environment('tuned', { ...journal, ...more }))
    expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
    return program
  }
  const first = await run({})
  expect(first.stderr).toMatch(/15 trainings, the best with NDCG@20 0\.\d+/)
  expect(first.stdout).toContain('The best of 15 trainings that TUNE tried')
  const { options } = await loadModel(join(folder, 'tuned'))
  expect([options.factors, options.iterations]).toEqual([8, 3])
  const best = /│ *(ials|hkv) *│ *([\d.e-]+) *│/.exec(first.stdout)!
  expect([options.objective, options.alpha]).toEqual([best[1], Number(best[2])])
  const second = await run({ MIN_USER_INTERACTIONS: '25' })
  expect(second.stderr).toContain('8 trainings, the best with NDCG@20')
})

async function appears(directory: string, name: string): Promise<void> {
  for await (const { filename } of watch(directory)) if (filename === name) return
}
