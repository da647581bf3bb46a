import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QdrantClient } from '@qdrant/js-client-rest'
import { loadModel } from '@seesaw/als-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { Program } from '../test/program.ts'

// Child processes on a busy machine take their time; no time is asserted here.
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickstart-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A shop that fits in a second, with room for its temporary files in the test's folder. */
const environment = () => ({
  OUTPUT_DIR: join(folder, 'model'),
  TMPDIR: folder,
  VECTOR_DIM: '32',
  ITERATIONS: '6',
  THREADS: '2',
})

test('invents, trains, evaluates and answers', async () => {
  const program = new Program('quickstart.ts', environment(), ['--users', '3000', '--releases', '1500'])
  expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
  const { stdout } = program
  for (const stage of ['invent', 'load', 'train', 'evaluate', 'save'])
    expect(program.stderr).toMatch(new RegExp(`${stage} +done in`))
  const recall = (name: string) => Number(new RegExp(`${name} +│ +([0-9.]+)`).exec(stdout)![1])
  expect(recall('this model')).toBeGreaterThan(2 * recall('most popular'))
  const answers = stdout
    .split(/\n(?=Similar releases|A blend|The same|More of|Hidden|Crowd|Releases that|Served|Items that|For collector)/)
    .slice(1)
  expect(answers.length).toBe(11)
  const column = (table: string, name: string) => {
    const rows = table
      .split('\n')
      .filter((line) => line.startsWith('│'))
      .map((line) => line.split('│').map((cell) => cell.trim()))
    const at = rows[0].indexOf(name)
    return rows.slice(1).map((row) => row[at])
  }
  const [similar, , filtered, , gems, favourites, unknown, , served, news, portrait] = answers
  // Four ways to ask, three of them of both vectors.
  expect(column(served, 'users ask by')).toHaveLength(7)
  expect(column(served, 'as exact').every((share) => share === '100.0 %')).toBe(true)
  // Planted tastes show: most of what is near a Deep House release is Deep House or next to it.
  const near = column(similar, 'styles').filter((styles) => /House|Soul|Techno/.test(styles))
  expect(near.length).toBeGreaterThanOrEqual(6)
  expect(column(filtered, 'year').every((year) => Number(year) >= 1990 && Number(year) <= 1999)).toBe(true)
  const most = Number(/at most ([\d.]+)/.exec(gems)![1])
  expect(column(gems, 'interactions').every((count) => Number(count.replace(',', '')) <= most)).toBe(true)
  const least = Number(/at least ([\d.]+)/.exec(favourites)![1])
  expect(column(favourites, 'interactions').every((count) => Number(count.replace(',', '')) >= least)).toBe(true)
  // What nobody has is near to what shares its features.
  const [, styles] = /; \d{4}; ([^;\n]+)\n/.exec(unknown)!
  const alike = column(unknown, 'styles').filter((others) => styles.split(', ').some((style) => others.includes(style)))
  expect(alike.length).toBeGreaterThanOrEqual(6)
  const [withFeatures, without] = column(news, 'Recall@20: new').map(Number)
  expect(withFeatures).toBeGreaterThan(2 * without)
  const found = column(portrait, 'has it').filter((mark) => mark === 'yes').length
  expect(portrait).toContain(`${found} of 10 are among the `)
  expect((await loadModel(join(folder, 'model'))).factors).toBe(32)
  expect(await readdir(folder)).toEqual(['model'])
})

test('a shop of 100 collectors and 100 releases: nothing is asked about twice, and there is somebody to portray', async () => {
  const program = new Program('quickstart.ts', environment(), ['--users', '100', '--releases', '100'])
  expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
  const blend = /A blend of three\n((?: {2}\+ .*\n)+)/.exec(program.stdout)![1].trimEnd().split('\n')
  expect(new Set(blend).size).toBe(3)
  expect(program.stdout).toMatch(/For collector \d+\n {2}has \d+ releases?: .+; mostly of the \d{4}s/)
  const answers = program.stdout.slice(program.stdout.indexOf('Answered'))
  expect(answers).not.toMatch(/\n\n\n|,\n|-0\.000/)
})

test('with QDRANT_URL it publishes, and Qdrant gives the same answers', async () => {
  const qdrant = await startStandIn()
  await writeCatalogue({ directory: join(folder, 'shop'), users: 1000, releases: 200, seed: 1 })
  try {
    const program = new Program('quickstart.ts', { ...environment(), QDRANT_URL: qdrant.url }, [
      '--users',
      '1000',
      '--releases',
      '600',
    ])
    expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
    expect(program.stdout).toContain(`Answered from Qdrant at ${qdrant.url}:`)
    expect(program.stdout).toMatch(/\n(\d+) of \1 answers are those of an exact search in process/)
    const { aliases } = await new QdrantClient({ url: qdrant.url, checkCompatibility: false }).getAliases()
    expect(aliases.map(({ alias_name }) => alias_name)).toContain('quickstart')
    // The next night publishes the same kind of vectors over it.
    const next = new Program('train.ts', {
      HAVES: join(folder, 'shop', 'haves'),
      SAMPLE_FRAC_HAVES: '1',
      COLLECTION_ALIAS: 'quickstart',
      ...environment(),
      QDRANT_URL: qdrant.url,
    })
    expect(await next.end(), next.stderr).toEqual({ code: 0, signal: null })
    expect(next.stderr).toMatch(/check .*, quickstart_\d+ serves/)
  } finally {
    await qdrant.close()
  }
})

test('an argument or a variable that is not usable is refused before anything begins', async () => {
  const program = new Program('quickstart.ts', environment(), ['--users', 'many'])
  expect((await program.end()).code).toBe(2)
  expect(program.stderr).toContain('--users=many: expected an integer from 100 to 99999999')
  const other = new Program('quickstart.ts', { ...environment(), VECTOR_DIM: '0', SEED: 'x' })
  expect((await other.end()).code).toBe(2)
  expect(other.stderr).toMatch(/VECTOR_DIM=0: .*\n.*SEED=x: /)
  expect(other.stdout).toBe('')
})

test('train.ts lists every bad variable at once', async () => {
  const program = new Program('train.ts', { HAVES: '/no/such/folder', ITERATIONS: 'ten', QDRANT_URL: 'here' })
  expect((await program.end()).code).toBe(2)
  expect(program.stderr).toBe(
    [
      '3 settings are not usable:',
      '  HAVES=/no/such/folder: no such folder or file',
      '  ITERATIONS=ten: expected an integer from 1 to 10000',
      '  QDRANT_URL=here: expected a URL such as http://localhost:6333',
      '',
    ].join('\n'),
  )
})

test('a Qdrant that does not answer is known before anything is loaded', async () => {
  const program = new Program('train.ts', { HAVES: folder, QDRANT_URL: 'http://127.0.0.1:9' })
  expect((await program.end()).code).toBe(1)
  expect(program.stderr).toMatch(/Qdrant at http:\/\/127\.0\.0\.1:9 does not answer: check QDRANT_URL/)
  expect(program.stderr).not.toMatch(/^load/m)
})
