/** Programs that are bundled to one file: they run with the workers bundled beside them, or say what to do. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import webpack from 'webpack'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const program = here('./bundle/program.ts')
const workers = { loader: here('../src/worker.ts'), core: here('../../als-core/src/worker.ts') }
// What starts threads, or is a file of WebAssembly, stays in node_modules.
const external = ['piscina', 'parquet-wasm']

let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bundle-'))
  mkdirSync(join(directory, 'node_modules'))
  for (const name of external) {
    symlinkSync(realpathSync(here(`../node_modules/${name}`)), join(directory, 'node_modules', name))
  }
  const column = (name: string, data: number[]) => ({ name, data: Int32Array.from(data), type: 'INT32' as const })
  await parquetWriteFile({
    filename: join(directory, 'haves.parquet'),
    columnData: [column('user_id', [1, 1, 2, 3]), column('release_id', [7, 8, 8, 9])],
  })
})
afterAll(() => rmSync(directory, { recursive: true }))

async function run(file: string, ...named: string[]): Promise<string> {
  const places = named.map((name) => join(directory, name))
  const args = [join(directory, file), join(directory, 'haves.parquet'), ...places]
  // It must end by itself, whatever happens: an error that nobody catches would have another code.
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 240_000 })
  return stdout.trim()
}

describe.each(['cjs', 'esm'] as const)('esbuild, %s', (format) => {
  const extension = format === 'cjs' ? 'cjs' : 'mjs'
  beforeAll(async () => {
    const common = { bundle: true, platform: 'node', target: 'node22', format, external, logLevel: 'error' } as const
    // CommonJS dependencies call require, which a module has to make for itself.
    const js = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
    const banner: Record<string, string> = format === 'esm' ? { js } : {}
    const outfile = (name: string) => join(directory, `${name}.${extension}`)
    await build({ ...common, banner, entryPoints: [program], outfile: outfile('program') })
    await build({ ...common, banner, entryPoints: [workers.loader], outfile: outfile('loader') })
    await build({ ...common, banner, entryPoints: [workers.core], outfile: outfile('core') })
  })

  it('runs with its workers', async () => {
    const output = await run(`program.${extension}`, `loader.${extension}`, `core.${extension}`)
    expect(output).toBe('trained 3 users, 3 items')
  })

  it('says what to do without them', async () => {
    expect(await run(`program.${extension}`)).toMatch(/^LoadError: The worker file .*bundle @seesaw\/loader\/worker/)
    expect(await run(`program.${extension}`, `loader.${extension}`)).toMatch(
      /^Error: The worker file .*bundle @seesaw\/als-core\/worker/,
    )
    expect(await run(`program.${extension}`, 'absent.js')).toMatch(/^LoadError: The worker file is not at .*absent.js/)
  })
})

describe('webpack', () => {
  it('runs with its workers', async () => {
    const worker = (path: string) => ({ import: path, library: { type: 'commonjs2' } })
    const compiler = webpack({
      mode: 'development',
      target: 'node22',
      devtool: false,
      entry: { program, loader: worker(workers.loader), core: worker(workers.core) },
      output: { path: directory, filename: 'webpack-[name].cjs' },
      externals: [
        ({ request = '' }, done) => {
          const outside = external.some((name) => request === name || request.startsWith(`${name}/`))
          done(undefined, outside ? `commonjs ${request}` : undefined)
        },
      ],
      externalsPresets: { node: true },
      module: { rules: [{ test: /\.ts$/, use: here('./bundle/strip-types.cjs') }] },
      resolve: { symlinks: true },
    })
    const stats = await promisify(compiler.run.bind(compiler))()
    await promisify(compiler.close.bind(compiler))()
    expect(stats!.toString({ all: false, errors: true })).toBe('')
    const output = await run('webpack-program.cjs', 'webpack-loader.cjs', 'webpack-core.cjs')
    expect(output).toBe('trained 3 users, 3 items')
  })
})
