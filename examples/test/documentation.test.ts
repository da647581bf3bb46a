import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { blocksOf, type CodeBlock, pages, ROOT } from './documentation.ts'

// Child processes on a busy machine take their time; no time is asserted here.
const run = promisify(execFile)
let folder: string
let blocks: CodeBlock[]
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'documentation-'))
  blocks = (await Promise.all((await pages()).map(blocksOf))).flat()
  await symlink(join(ROOT, 'examples', 'node_modules'), join(folder, 'node_modules'))
  await symlink(join(ROOT, 'examples'), join(folder, 'examples'))
})
afterAll(() => rm(folder, { recursive: true }))

test('every block of TypeScript in the documentation is checked against the packages', async () => {
  expect(blocks.length).toBeGreaterThan(30)
  const files = new Map(blocks.map((block, i) => [`block-${i}.ts`, block]))
  for (const [name, { module }] of files) await writeFile(join(folder, name), module)
  const compilerOptions = {
    noEmit: true,
    allowImportingTsExtensions: true,
    isolatedDeclarations: false,
    declaration: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    typeRoots: [join(ROOT, 'node_modules', '@types')],
  }
  const config = { extends: join(ROOT, 'tsconfig.base.json'), compilerOptions, files: [...files.keys()] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
  const { stdout } = await run(tsc, ['--project', folder, '--pretty', 'false']).catch((error) => error)
  const faults = stdout.replaceAll(
    /^(?:.*\/)?(block-\d+\.ts)\((\d+),(\d+)\)/gm,
    (_: string, name: string, line: string, column: string) => {
      const { page, line: first } = files.get(name)!
      return `${page}:${first + Number(line) - 2}:${column}`
    },
  )
  expect(faults).toBe('')
})

/** Programs of a page run one after the other in one folder, so that one may read what another has written. */
test('whole programs in the documentation run', async () => {
  const programs = blocks.filter(({ runs }) => runs)
  expect(programs.length).toBeGreaterThan(0)
  for (const { page, line, code } of programs) {
    const directory = join(folder, page.replaceAll('/', '-'))
    await mkdir(directory, { recursive: true })
    const program = `process.chdir(${JSON.stringify(directory)})\n${code}`
    const options = ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '--eval', program]
    const { stdout } = await run(process.execPath, options, { cwd: join(ROOT, 'examples') }).catch((error) => {
      throw new Error(`The program at ${page}:${line} ends with ${error.stderr}`)
    })
    expect(stdout, `The program at ${page}:${line} prints nothing`).not.toBe('')
  }
})
