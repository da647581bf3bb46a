import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Recommender } from '@seesaw/als-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

// Child processes on a busy machine take their time; no time is asserted here.
const examples = join(import.meta.dirname, '..')
const data = join(examples, '..', '..', 'shared', 'data')
const absent = !existsSync(data)
if (absent) console.warn(`bring-your-own-data: skipped, there is no ${data}.`)

let folder: string
let programs: string[]
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bring-your-own-data-'))
  const page = await readFile(join(examples, '..', 'docs', 'bring-your-own-data.md'), 'utf8')
  programs = [...page.matchAll(/```ts\n(.*?)```/gs)]
    .map(([, program]) => program!)
    .filter((program) => program.includes('DuckDBInstance'))
  await symlink(join(examples, 'node_modules'), join(folder, 'node_modules'))
})
afterAll(() => rm(folder, { recursive: true }))

const run = (args: readonly string[], cwd: string) =>
  promisify(execFile)(process.execPath, args, {
    cwd,
    env: { PATH: process.env.PATH, NO_COLOR: '1', OUTPUT_DIR: join(folder, 'films') },
  })

test('both are under 20 lines', () => {
  expect(programs).toHaveLength(2)
  for (const program of programs) expect(program.trim().split('\n').length).toBeLessThan(20)
})

test.skipIf(absent)('the program, on the plays of Last.fm', async () => {
  const program = programs[0]!
    .replace('plays.tsv.gz', join(data, 'lastfm-hetrec', 'interactions.tsv.gz'))
    .replaceAll("'model'", JSON.stringify(join(folder, 'model')))
  const { stdout } = await run(['--input-type=module-typescript', '--eval', program], examples)
  const ids: number[] = JSON.parse(stdout)
  expect(new Set(ids).size).toBe(5)
  await using recommender = await Recommender.open(join(folder, 'model'), { threads: 1 })
  expect([...(await recommender.recommend('2', { limit: 5 })).ids]).toEqual(ids)
  // Lists that follow the listener: those of two are not the same.
  expect([...(await recommender.recommend('3', { limit: 5 })).ids]).not.toEqual(ids)
})

test.skipIf(absent)('the configuration module, on the ratings of MovieLens', async () => {
  await cp(join(data, 'ml-latest-small', 'interactions.tsv.gz'), join(folder, 'ratings.tsv.gz'))
  await cp(join(data, 'ml-latest-small', 'items.tsv.gz'), join(folder, 'films.tsv.gz'))
  await writeFile(join(folder, 'seesaw.config.ts'), programs[1]!.replace('./examples/', `${examples}/`))
  const { stdout } = await run([join(examples, 'train.ts')], folder)
  expect(stdout).toMatch(/671 users.*9,066 items.*100,004 entries/s)
  expect(stdout).toMatch(/the shape of the data recommends\n(.*\n){3}.* objective .* ials /)
  expect(stdout).toMatch(/Similar items\n.*\n.*\btitle\b.*\byear\b.*\bgenres\b/s)
  await using recommender = await Recommender.open(join(folder, 'films'), { threads: 1 })
  expect((await recommender.recommend('1', { limit: 5 })).ids).toHaveLength(5)
})
