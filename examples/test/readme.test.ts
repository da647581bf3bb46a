import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { QdrantClient } from '@qdrant/js-client-rest'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { defaultOf } from '../configuration/help.ts'
import { settingsOf } from '../configuration/settings.ts'
import recordShop from '../seesaw.config.ts'

// Child processes on a busy machine take their time; no time is asserted here.
vi.setConfig({ testTimeout: 300_000 })

let folder: string
let readme: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readme-'))
  readme = await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')
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
    const value = setting.variable === 'THREADS' ? 'all cores' : defaultOf(recordShop, setting)
    const standard = value === undefined ? '–' : value === 'all cores' ? value : `\`${String(value)}\``
    return `| \`${setting.variable}\` | ${standard} | ${setting.meaning} |`
  })
  const table = ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n')
  expect(readme, `The README needs this table:\n\n${table}\n`).toContain(table)
})
