import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'

const root = join(import.meta.dirname, '..', '..')
const packages = ['als-core', 'loader', 'qdrant-sink']

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'install-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** What somebody who has installed the packages writes: plain JavaScript, no TypeScript, no workspace. */
const program = `
import { Recommender, train } from '@seesaw/als-core'
import { loadInteractions } from '@seesaw/loader'
import { Index, publish } from '@seesaw/qdrant-sink'

const { matrix, userIds, itemIds } = await loadInteractions({
  sources: [{ name: 'haves', uri: 'haves' }],
  thresholds: { user: 5, item: 5 },
  threads: 2,
})
const model = await train(matrix, { factors: 16, iterations: 3, threads: 2, userIds, itemIds })
const recommender = new Recommender(model, { interactions: matrix, threads: 2 })
const similar = await recommender.similarItems(0, { limit: 5 })
await recommender.close()
console.log(JSON.stringify({
  users: matrix.users,
  losses: model.history.map((report) => report.loss),
  similar: similar.ids,
  publish: typeof publish,
  index: typeof Index,
  from: import.meta.resolve('@seesaw/als-core'),
}))
`

test('the packed packages install in an empty folder and train on 2 threads under plain Node', async () => {
  for (const name of packages) {
    // Packing builds: what is packed is what the sources say, not what was built some time before.
    await rm(join(root, 'packages', name, 'dist'), { recursive: true, force: true })
    await run('npx', ['--yes', 'pnpm@12', 'pack', '--pack-destination', folder], join(root, 'packages', name))
  }
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
  expect(tarballs.length).toBe(3)

  const shop = join(folder, 'shop')
  await mkdir(shop)
  await writeCatalogue({ directory: shop, users: 200, releases: 300, seed: 1 })
  await writeFile(join(shop, 'package.json'), '{ "private": true }')
  await writeFile(join(shop, 'program.mjs'), program)
  const install = ['install', '--no-audit', '--no-fund', ...tarballs.map((name) => join(folder, name))]
  await run('npm', install, shop)
  const { stdout, stderr } = await run(process.execPath, ['program.mjs'], shop)

  // Our types stand on their own: every declaration is checked, and the dom library is not there.
  await writeFile(join(shop, 'program.mts'), program)
  const strict = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--lib', 'es2024', '--target', 'es2024']
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')]
  await run('tsc', [...strict, ...types, '--module', 'nodenext', 'program.mts'], shop)

  expect(stderr).toBe('')
  const { users, losses, similar, publish, index, from } = JSON.parse(stdout)
  expect(users).toBeGreaterThan(150)
  expect(losses).toHaveLength(3)
  expect(losses[2]).toBeLessThan(losses[0])
  expect(similar).toHaveLength(5)
  expect([publish, index]).toEqual(['function', 'function'])
  expect(from).toMatch(/shop\/node_modules\/@seesaw\/als-core\/dist\/index\.js$/)
}, 300_000)

/** Runs a command to its end; a failure says what it printed. */
async function run(command: string, args: string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  const bin = join(root, 'node_modules', '.bin')
  const env = { ...process.env, NODE_OPTIONS: '', PATH: `${bin}${delimiter}${process.env.PATH}` }
  try {
    return await promisify(execFile)(command, args, { cwd, env })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error })
  }
}
