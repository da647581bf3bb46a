/**
 * A real Spark for tests and benchmarks: a virtual environment beside the package, from its requirements.txt, made once,
 * and the jars of S3A out of Maven Central.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const cache = join(root, '.cache')

export interface PreparedSpark {
  /** Path of spark-submit. */
  readonly submit: string
  /** Path of its Python. */
  readonly python: string
}

/** Installs Spark where that has not been done; or says why there can be none. */
export async function prepareSpark(): Promise<PreparedSpark | { readonly missing: string }> {
  for (const [command, argument, name] of [
    ['java', '-version', 'Java 17 or later'],
    ['python3', '--version', 'Python 3.10 or later'],
  ]) {
    const found = await run(command, [argument]).catch((error: NodeJS.ErrnoException) => error)
    if (found instanceof Error && found.code === 'ENOENT')
      return { missing: `${command} is not there: install ${name}` }
    if (found instanceof Error) throw found
  }
  const environment = join(cache, 'venv')
  const wanted = readFileSync(join(root, 'requirements.txt'), 'utf8')
  const installed = join(environment, 'requirements.txt')
  if (!existsSync(installed) || readFileSync(installed, 'utf8') !== wanted) {
    console.error('Installing Spark for its tests (once, about 2 minutes) ...')
    await rm(environment, { recursive: true, force: true })
    await run('python3', ['-m', 'venv', environment])
    const options = ['--quiet', '--disable-pip-version-check', '-r', join(root, 'requirements.txt')]
    await run(join(environment, 'bin', 'python'), ['-m', 'pip', 'install', ...options])
    await writeFile(installed, wanted)
  }
  return { submit: join(environment, 'bin', 'spark-submit'), python: join(environment, 'bin', 'python') }
}

/** Jars that make an S3A of what PySpark has: 52, 19 MB, in place of the 700 MB that hadoop-aws asks for. */
export async function prepareS3a(): Promise<{ readonly jars: readonly string[] } | { readonly missing: string }> {
  const folder = join(cache, 's3a-jars')
  if (!existsSync(folder)) {
    const found = await run('mvn', ['--version']).catch((error: NodeJS.ErrnoException) => error)
    if (found instanceof Error) return { missing: 'mvn is not there: install Maven' }
    const unfinished = `${folder}.part`
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`]
    await run('mvn', ['--quiet', '--batch-mode', '-f', join(root, 'scripts', 's3a.pom.xml'), ...goal])
    await rename(unfinished, folder)
  }
  return { jars: (await readdir(folder)).map((name) => join(folder, name)) }
}
