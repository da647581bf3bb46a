import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { QdrantClient } from '@qdrant/js-client-rest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { defaultOf } from '../configuration/help.ts'
import { loadConfig } from '../configuration/load-config.ts'
import { readConfiguration } from '../configuration/read-configuration.ts'
import { settingsOf } from '../configuration/settings.ts'
import recordShop from '../seesaw.config.ts'
import { Program } from '../test/program.ts'

// Child processes on a busy machine take their time; no time is asserted here.
let folder: string
let readme: string
let pipeline: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readme-'))
  const root = join(import.meta.dirname, '..', '..')
  readme = await readFile(join(root, 'README.md'), 'utf8')
  pipeline = await readFile(join(root, 'docs', 'pipeline.md'), 'utf8')
})
afterAll(() => rm(folder, { recursive: true }))

test('the first program of the README runs', async () => {
  await writeCatalogue({ directory: folder, users: 2000, releases: 400, seed: 1 })
  const qdrant = await startStandIn()
  try {
    const program = /```ts\n(.*?)```/s.exec(readme)![1]
    const adapted = program
      .replaceAll('s3://record-shop', folder)
      .replace('./model', join(folder, 'model'))
      .replace('http://localhost:6333', qdrant.url)
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module-typescript', '--eval', adapted],
      { cwd: join(import.meta.dirname, '..') },
    )
    expect(JSON.parse(stdout)).toHaveLength(10)
    const client = new QdrantClient({ url: qdrant.url, checkCompatibility: false })
    const { count } = await client.count('recommendations', { exact: true })
    expect(count).toBeGreaterThan(100)
  } finally {
    await qdrant.close()
  }
})

test('the table of variables is that of the settings', () => {
  const rows = settingsOf(recordShop).map((setting) => {
    const value = defaultOf(recordShop, setting)
    const own = ['THREADS', 'MEMORY_LIMIT'].includes(setting.variable)
    const standard = value === undefined || own ? '–' : `\`${setting.print?.(value) ?? String(value)}\``
    return `| \`${setting.variable}\` | ${standard} | ${setting.meaning} |`
  })
  const table = ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n')
  expect(pipeline, `docs/pipeline.md needs this table:\n\n${table}\n`).toContain(table)
})

test('the configuration module of docs/pipeline.md is one', async () => {
  const [, module] = /```ts\n(import \{ defineConfig \}.*?)```/s.exec(pipeline)!
  const path = join(folder, 'seesaw.config.ts')
  await writeFile(path, module.replace('./examples/', `${join(import.meta.dirname, '..')}/`))
  const { config } = await loadConfig(path)
  const configuration = readConfiguration(config, { RATINGS: folder, VIEWS: folder, FILMS: folder })
  expect(configuration.sources.map(({ name }) => name)).toEqual(['ratings', 'views'])
  expect(configuration.items).toMatchObject({ name: 'films', uri: folder, id: 'film_id' })
})

test('the sample of the quickstart is what it prints', async () => {
  const sample = /prints what the model has learned:\n\n```\n(.*?)```/s.exec(readme)![1]
  const program = new Program('quickstart.ts', { OUTPUT_DIR: join(folder, 'quickstart') })
  expect(await program.end(), program.stderr).toEqual({ code: 0, signal: null })
  const printed = program.stdout.split('\n')
  let at = 0
  for (const line of sample.trimEnd().split('\n')) {
    const found = printed.findIndex((each, i) => i >= at && agree(each, line))
    expect(found, `No line like this one, or not in this place:\n${line}\nin\n${program.stdout}`).toBeGreaterThan(-1)
    at = found + 1
  }
})

/** Whether two lines have the same words, and numbers within 1 % and a digit: kernels with and without fused products differ in the last digit. */
function agree(line: string, other: string): boolean {
  const number = /\d+\.\d+/g
  const [numbers, others] = [line, other].map((text) => text.match(number)?.map(Number) ?? [])
  return (
    line.replaceAll(number, '') === other.replaceAll(number, '') &&
    numbers.every((value, i) => Math.abs(value - others[i]) <= 0.0011 + 0.01 * Math.abs(others[i]))
  )
}
