import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { computeLoss, evaluate, itemNeighbours, mostPopular, Recommender } from '@seesaw/als-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { chosenSettings, readConfiguration } from '../configuration/read-configuration.ts'
import { MemorySeries } from '../pipeline/memory-series.ts'
import type { Progress } from '../pipeline/progress.ts'
import { type Run, runPipeline } from '../pipeline/run.ts'
import { sampleUsers } from '../pipeline/sample-users.ts'
import { Stages } from '../pipeline/stages.ts'
import { compareRuns, judge } from '../report/compare.ts'
import { metric, percent } from '../report/numbers.ts'
import { renderReport } from '../report/render-report.ts'
import { readRecord, reportFiles } from '../report/report-files.ts'
import { octaveOf, type RunRecord, runRecord } from '../report/run-record.ts'
import { funnelSteps } from '../report/sections/data.ts'
import recordShop from '../seesaw.config.ts'
import { Page } from '../test/html.ts'
import { Program } from '../test/program.ts'

// Child processes on a busy machine take their time; no time is asserted here.
const silent: Progress = { begin() {}, update() {}, end() {}, stop() {} }
let folder: string
let run: Run
let record: RunRecord
let page: Page

/** The shop of the tests, as variables of train.ts. */
const environment = (name: string, more: Record<string, string> = {}) => ({
  HAVES: join(folder, 'shop', 'haves'),
  WANTS: join(folder, 'shop', 'wants'),
  RATINGS: join(folder, 'shop', 'ratings'),
  SAMPLE_FRAC_HAVES: '1',
  SAMPLE_FRAC_WANTS: '0.5',
  SAMPLE_FRAC_RATINGS: '1',
  MIN_USER_INTERACTIONS: '10',
  MIN_ITEM_INTERACTIONS: '15',
  VECTOR_DIM: '16',
  ITERATIONS: '4',
  THREADS: '2',
  OUTPUT_DIR: join(folder, name),
  WORK_DIR: join(folder, 'work'),
  TMPDIR: folder,
  ...more,
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'))
  await mkdir(join(folder, 'work'))
  await writeCatalogue({ directory: join(folder, 'shop'), users: 3000, releases: 600, seed: 7 })
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const signal = new AbortController().signal
  const variables = environment('model', { HOLD_OUT: '0.2', RELEASES: join(folder, 'shop', 'releases') })
  const configuration = readConfiguration(recordShop, variables)
  const settings = chosenSettings(recordShop, configuration)
  run = await runPipeline(configuration, settings, new Stages(silent, signal), silent, signal)
  const files = reportFiles(join(folder, 'model'))
  record = await readRecord(files.record)
  page = new Page(await readFile(files.page, 'utf8'))
})
afterAll(async () => {
  await run?.close()
  await rm(folder, { recursive: true })
})

describe('the figures are those of the engine', () => {
  test('quality, by bucket and coverage, of the model and what it is compared with', async () => {
    const { model, matrix, heldOut } = run.learned
    const sample = sampleUsers([matrix, heldOut!], 2000, 42)
    const sources = { 'this model': model, 'item kNN': itemNeighbours(matrix), 'most popular': mostPopular(matrix) }
    expect(record.quality!.map(({ name }) => name)).toEqual(Object.keys(sources))
    for (const [name, source] of Object.entries(sources)) {
      const found = record.quality!.find((each) => each.name === name)!
      const users = name === 'item kNN' ? sample : undefined
      const { at, buckets } = await evaluate(source, { train: matrix, test: heldOut!, k: 20, users, threads: 2 })
      const { recall, ndcg, map, mrr, hitRate, coverage, gini, users: measured } = at[20]!
      expect(found).toMatchObject({ recall, ndcg, map, mrr, hitRate, users: measured })
      if (users === undefined) expect(found).toMatchObject({ coverage, gini })
      else expect(found.coverage).toBeUndefined()
      expect(found.buckets).toEqual(buckets.map(({ name, items, at }) => ({ name, items, recall: at[20]!.recall })))
      expect(page.text).toContain(metric(recall))
    }
  })

  test('groups of users and items add up to the whole', () => {
    for (const { recall, users, byUser, byItem } of record.quality!) {
      expect(byUser.reduce((sum, group) => sum + group.users!, 0)).toBe(users)
      expect(byUser.reduce((sum, group) => sum + group.users! * group.recall, 0) / users).toBeCloseTo(recall, 12)
      const relevant = (groups: typeof byUser) => groups.reduce((sum, group) => sum + group.relevant, 0)
      expect(relevant(byItem)).toBe(relevant(byUser))
    }
    expect(record.quality![0]!.byUser.reduce((sum, group) => sum + group.relevant, 0)).toBe(
      run.learned.heldOut!.entries,
    )
  })

  test('popularity of what is recommended', async () => {
    const { model, matrix, heldOut } = run.learned
    const users = Uint32Array.from({ length: matrix.users }, (_, user) => user).filter(
      (user) => rowLength(heldOut!.csr, user) > 0 && rowLength(matrix.csr, user) > 0,
    )
    const recommender = new Recommender(model, { interactions: matrix, threads: 2 })
    const lists = await recommender.recommend(users, { limit: 20 })
    await recommender.close()
    const recommended: number[] = []
    const shown = new Set<number>()
    for (let q = 0; q < users.length; q++) {
      for (const item of lists.rows.subarray(q * lists.limit, q * lists.limit + lists.counts[q]!)) {
        shown.add(item)
        const octave = octaveOf(rowLength(matrix.csc, item))
        recommended[octave] = (recommended[octave] ?? 0) + 1
      }
    }
    expect(record.quality![0]!.recommended).toEqual(Array.from(recommended, (count) => count ?? 0))
    expect(record.quality![0]!.coverage).toBe(shown.size / matrix.items)
    expect(record.popularity!.entries.reduce((sum, count) => sum + count, 0)).toBe(matrix.entries)
    expect(page.text).toContain(percent(shown.size / matrix.items))
  })

  test('rows, from the files to the matrix', () => {
    const { data, split } = record
    const steps = funnelSteps(data!, split)
    for (const [at, { left, lost }] of steps.entries()) if (at > 0) expect(steps[at - 1]!.left - lost).toBe(left)
    expect(steps.at(-1)!.left).toBe(run.learned.matrix.entries)
    expect(steps.some(({ name }) => name === 'sampled')).toBe(true)
    expect(data!.sources.map(({ name }) => name)).toEqual(['haves', 'wants', 'ratings'])
    for (const side of [data!.users, data!.items]) {
      expect(side.before.reduce((sum, count) => sum + count, 0)).toBe(side.seen)
      expect(side.after.reduce((sum, count) => sum + count, 0)).toBe(side.active)
    }
  })

  test('iterations, with the loss of the matrix and of the model', () => {
    const { model, matrix } = run.learned
    const iterations = record.training!.iterations
    expect(iterations.map(({ loss }) => loss)).toEqual(model.history.map(({ loss }) => loss))
    expect(computeLoss(model, matrix, model.options) / iterations.at(-1)!.loss!).toBeCloseTo(1, 4)
    expect(iterations.map(({ ndcg }) => ndcg !== undefined)).toEqual([true, true, true, true])
  })

  test('NDCG after the last iteration is that of the model, for the same users', async () => {
    const { model, matrix, heldOut } = run.learned
    const users = sampleUsers([matrix, heldOut!], 500, 42)
    expect(record.training!.measuredUsers).toBe(users.length)
    const { at } = await evaluate(model, { train: matrix, test: heldOut!, users, k: 20, threads: 2 })
    expect(record.training!.iterations.at(-1)!.ndcg).toBeCloseTo(at[20]!.ndcg, 6)
  })

  test('users, their lists and the reasons', async () => {
    const { model, matrix, heldOut } = run.learned
    expect(record.people).toHaveLength(10)
    const recommender = new Recommender(model, { interactions: matrix, threads: 2 })
    for (const person of record.people!) {
      const user = recommender.userRow(Number(person.id))
      const list = await recommender.recommend(user, { limit: 10 })
      expect(person.list.map(({ id }) => id)).toEqual(list.ids.map(String))
      expect(person.known).toBe(rowLength(matrix.csr, user))
      const hidden = new Set(heldOut!.csr.indices.subarray(heldOut!.csr.indptr[user], heldOut!.csr.indptr[user + 1]))
      expect(person.list.map((item) => item.heldOut)).toEqual(Array.from(list.rows, (row) => hidden.has(row)))
      expect(hidden.size).toBe(person.heldOut)
      const { contributions } = await recommender.explain(user, list.rows[0]!)
      const [first] = contributions
      expect(person.list[0]!.because[0]!.name).toBe(run.items.payload(first!.row).title)
      const all = contributions.reduce((sum, { contribution }) => sum + Math.max(0, contribution), 0)
      expect(person.list[0]!.because[0]!.share).toBeCloseTo(first!.contribution / all, 9)
      expect(page.text).toContain(`User ${person.id}`)
    }
    await recommender.close()
  })

  test('stages and memory', () => {
    const names = record.stages.map(({ stage }) => stage)
    expect(names).toEqual(['check', 'load', 'train', 'save', 'evaluate', 'releases', 'observe'])
    for (const [at, { began, seconds }] of record.stages.entries())
      expect(record.stages[at + 1]?.began ?? record.seconds).toBeGreaterThanOrEqual(began + seconds - 1e-9)
    expect(record.memory.samples.length).toBeGreaterThanOrEqual(names.length / 2)
    expect(record.memory.plans.map(({ stage }) => stage)).toEqual(['load', 'train'])
  })
})

describe('the page', () => {
  test('is whole by itself: no script that runs, nothing fetched', () => {
    expect(page.all('script').map(({ attributes }) => attributes.type)).toEqual(['application/json'])
    for (const { name, attributes } of page.elements) {
      expect(['img', 'link', 'iframe', 'object'], name).not.toContain(name)
      for (const [attribute, value] of Object.entries(attributes)) {
        expect(attribute).not.toMatch(/^on|^src/)
        if (attribute.endsWith('href')) expect(value).toMatch(/^#/)
        else if (!attribute.startsWith('xmlns')) expect(value).not.toMatch(/url\(|https?:/)
      }
    }
    const [policy] = page.all('meta').filter(({ attributes }) => attributes['http-equiv'])
    expect(policy!.attributes.content).toContain("default-src 'none'")
    expect(
      page
        .all('style')
        .map(({ text }) => text)
        .join(''),
    ).not.toMatch(/url\(|@import/)
  })

  test('has a name for each chart, a table behind it, and a target for each link', () => {
    const charts = page.all('svg')
    expect(charts.length).toBeGreaterThanOrEqual(2 * 12)
    for (const { attributes } of charts) {
      expect(attributes.role).toBe('img')
      expect(attributes['aria-label']!.length).toBeGreaterThan(10)
    }
    expect(page.all('details').length).toBe(page.all('figure').length)
    const ids = page.elements.map(({ attributes }) => attributes.id).filter(Boolean)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { attributes } of page.all('a')) expect(ids).toContain(attributes.href!.slice(1))
    for (const { attributes } of page.all('section')) expect(ids).toContain(attributes['aria-labelledby'])
    expect(page.text).not.toMatch(/NaN|undefined|null|\[object|Infinity/)
  })

  test('carries its record', async () => {
    expect(await readRecord(reportFiles(join(folder, 'model')).page)).toEqual(record)
  })

  test('shows text from data as text, wherever it comes from', async () => {
    const evil = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"\'&amp;</style>'
    const poison = (value: unknown, key = ''): unknown => {
      if (typeof value === 'string')
        return ['format', 'status', 'began', 'kind'].includes(key) || value === 'this model' ? value : `${evil}${value}`
      if (Array.isArray(value)) return value.map((each) => poison(each))
      if (value === null || typeof value !== 'object') return value
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, poison(each, name)]))
    }
    const poisoned = runRecord.parse(poison({ ...record, status: 'failed', error: 'it', warnings: ['a note'] }))
    const source = renderReport(poisoned, {
      ...record,
      settings: poisoned.settings.map(({ name }) => ({ name, value: evil })),
    })
    const parsed = new Page(source)
    expect(parsed.all('script')).toHaveLength(1)
    expect(parsed.all('style')).toHaveLength(1)
    expect(parsed.all('img')).toEqual([])
    expect(
      parsed.elements.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => /^on/.test(name)),
    ).toEqual([])
    expect(parsed.text.split(evil).length).toBeGreaterThan(300)
    const path = join(folder, 'poisoned.html')
    await writeFile(path, source)
    expect(await readRecord(path)).toEqual(poisoned)
  })
})

describe('two runs', () => {
  test('what moved, which way, and what was set otherwise', () => {
    const now = structuredClone(record)
    now.quality![0]!.recall *= 1.1
    now.quality![0]!.ndcg *= 0.9
    now.seconds = record.seconds * 2
    now.data!.entries += 100_000
    now.settings.find(({ name }) => name === 'ITERATIONS')!.value = '5'
    const verdicts = new Map(compareRuns(now, record).map((move) => [move.name, judge(move)]))
    expect(verdicts.get('Recall@20')).toBe('better')
    expect(verdicts.get('NDCG@20')).toBe('worse')
    expect(verdicts.get('time')).toBe('worse')
    expect(verdicts.get('entries')).toBe('other')
    expect(verdicts.get('items')).toBe('same')
    const { text } = new Page(renderReport(now, record))
    expect(text).toMatch(/Recall@20 +better/)
    expect(text).toMatch(/\+10(\.0)?\u00a0?\s?%/)
    expect(text).toContain('ITERATIONS')
    expect(page.text).not.toContain('What moved')
  })

  test('the next run keeps the last complete one and compares itself', async () => {
    const variables = environment('nightly')
    for (let night = 0; night < 2; night++) {
      const program = new Program('train.ts', { ...variables, ITERATIONS: String(2 + night) })
      expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
      expect(program.stdout).toContain(`The report of this run is ${join(folder, 'nightly', 'report.html')}.`)
    }
    const files = reportFiles(join(folder, 'nightly'))
    expect((await readRecord(files.previousPage)).training!.iterations).toHaveLength(2)
    expect((await readRecord(files.record)).training!.iterations).toHaveLength(3)
    expect(new Page(await readFile(files.page, 'utf8')).text).toContain('What moved')
    const out = join(folder, 'compared.html')
    const program = new Program('report.ts', {}, ['--run', files.page, '--against', files.previousPage, '--out', out])
    expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
    expect(program.stdout).toMatch(/final loss .* -?\d\.\d %/)
    expect(new Page(await readFile(out, 'utf8')).text).toContain('Settings that differ')
    expect((await readdir(join(folder, 'nightly'))).filter((name) => name.startsWith('report')).sort()).toEqual([
      'report.html',
      'report.json',
      'report.previous.html',
      'report.previous.json',
    ])
  })

  test('a file that is no report is named', async () => {
    const path = join(folder, 'other.json')
    await writeFile(path, '{"format":"seesaw-run","version":2}')
    const program = new Program('report.ts', {}, ['--run', path])
    expect((await program.end()).code).toBe(1)
    expect(program.stderr).toMatch(/other\.json is no report that this version can read: version: /)
    const page = new Program('report.ts', {}, ['--run', join(import.meta.dirname, '..', 'report.ts')])
    expect((await page.end()).code).toBe(1)
    expect(page.stderr).toContain('report.ts is no report of a run: expected its report.html or report.json.')
  })
})

describe('a run that does not end well has left what it did', () => {
  test('killed in the middle of training', async () => {
    const program = new Program('train.ts', environment('killed', { ITERATIONS: '10000' }))
    await program.says(/train +iterations .*\(?(\d+) of 10K iterations.*loss/)
    await vi.waitFor(
      async () => expect((await readRecord(reportFiles(join(folder, 'killed')).record)).training).toBeDefined(),
      { timeout: 240_000 },
    )
    program.kill('SIGKILL')
    expect((await program.end()).signal).toBe('SIGKILL')
    const files = reportFiles(join(folder, 'killed'))
    const left = await readRecord(files.record)
    expect(left.status).toBe('running')
    expect(left.stages.map(({ stage }) => stage)).toEqual(['check', 'load'])
    expect(left.data!.entries).toBeGreaterThan(1000)
    expect(left.training!.iterations.length).toBeGreaterThan(0)
    const rendered = new Program('report.ts', {}, ['--run', files.record])
    expect(await rendered.end(), rendered.stderr).toEqual({ code: 0, signal: null })
    const { text } = new Page(await readFile(files.page, 'utf8'))
    expect(text).toContain('has not ended, or was killed')
    expect(text).toContain('Loss by iteration')
  })

  test('interrupted', async () => {
    const program = new Program('train.ts', environment('interrupted', { ITERATIONS: '10000' }))
    await program.says(/train +iterations .*loss/)
    program.kill('SIGTERM')
    expect((await program.end()).code).toBe(143)
    const files = reportFiles(join(folder, 'interrupted'))
    expect((await readRecord(files.record)).status).toBe('interrupted')
    const { text } = new Page(await readFile(files.page, 'utf8'))
    expect(text).toContain('was interrupted by a signal')
    expect(text).toContain('Rows on their way into the matrix')
  })

  test('failed', async () => {
    const program = new Program('train.ts', environment('failed', { MIN_USER_INTERACTIONS: '100000' }))
    expect((await program.end()).code).toBe(1)
    const files = reportFiles(join(folder, 'failed'))
    const left = await readRecord(files.record)
    expect(left).toMatchObject({ status: 'failed', error: expect.stringMatching(/^Nothing is left of \d+ rows/) })
    expect(left.stages.at(-1)).toMatchObject({ stage: 'load', failed: true })
    expect(new Page(await readFile(files.page, 'utf8')).text).toMatch(/This run failed.*Nothing is left of/s)
  })
})

test('without held-out entries, without a catalogue, without users by name', async () => {
  const program = new Program('train.ts', environment('plain', { REPORT_USERS: '0', WANTS: '', RATINGS: '' }))
  expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
  const files = reportFiles(join(folder, 'plain'))
  const plain = await readRecord(files.record)
  expect(plain).toMatchObject({ status: 'complete', people: [], warnings: [] })
  expect(plain.quality).toBeUndefined()
  expect(plain.listed!.recommended.reduce((sum, count) => sum + count, 0)).toBe(20 * plain.listed!.users)
  const { text } = new Page(await readFile(files.page, 'utf8'))
  expect(text).toContain('Popularity of what is recommended')
  expect(text).not.toMatch(/NaN|undefined|null|\[object|Infinity|Recall@20/)
})

test('a report that cannot be written is a warning, and the run is complete', async () => {
  const files = reportFiles(join(folder, 'unwritable'))
  await mkdir(join(files.record, 'in-the-way'), { recursive: true })
  await mkdir(join(files.page, 'in-the-way'), { recursive: true })
  const program = new Program('train.ts', environment('unwritable'))
  expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
  expect(program.stderr).toMatch(/Not in the report: the record: /)
  expect(program.stderr).toMatch(/Not in the report: the page: /)
  // The model is whole, and no draft of a report is left.
  const names = await readdir(join(folder, 'unwritable'))
  expect(names).toContain('manifest.json')
  expect(names.filter((name) => name.startsWith('report')).sort()).toEqual(['report.html', 'report.json'])
})

test('memory over time takes bounded room and loses no peak', () => {
  const series = new MemorySeries()
  let highest = 0
  for (let n = 0; n < 200_000; n++) {
    const bytes = 1e6 + ((n * 7919) % 1_000_003)
    highest = Math.max(highest, bytes)
    series.add(n / 10, bytes)
  }
  const points = series.points()
  expect(points.length).toBeLessThanOrEqual(512)
  expect(points.length).toBeGreaterThan(200)
  expect(Math.max(...points.map(([, bytes]) => bytes))).toBe(highest)
  expect(points.at(-1)![0]).toBeGreaterThan(19_000)
  for (const [at, [seconds]] of points.entries()) if (at > 0) expect(seconds).toBeGreaterThan(points[at - 1]![0])
})

test('users are drawn by the seed, each alike likely', () => {
  const { matrix } = run.learned
  const drawn = new Uint32Array(matrix.users)
  for (let seed = 0; seed < 400; seed++) for (const user of sampleUsers([matrix], 100, seed)) drawn[user]!++
  expect(sampleUsers([matrix], 100, 3)).toEqual(sampleUsers([matrix], 100, 3))
  const warm = drawn.filter((_, user) => rowLength(matrix.csr, user) > 0)
  const expected = (400 * 100) / warm.length
  const variance = warm.reduce((sum, count) => sum + (count - expected) ** 2, 0) / warm.length
  // A binomial has variance n p (1 - p).
  expect(variance / (expected * (1 - 100 / warm.length))).toBeGreaterThan(0.85)
  expect(variance / (expected * (1 - 100 / warm.length))).toBeLessThan(1.15)
  expect(sampleUsers([matrix], 1e6, 1)).toHaveLength(warm.length)
})

function rowLength({ indptr }: { indptr: ArrayLike<number> }, row: number): number {
  return indptr[row + 1]! - indptr[row]!
}
