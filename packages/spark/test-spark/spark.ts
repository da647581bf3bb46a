import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, inject } from 'vitest'
import { jobOf } from '../src/job.ts'
import type { SparkOptions, TrainOnSparkOptions } from '../src/options.ts'
import { resolveOptions } from '../src/resolve-options.ts'

const prepared = inject('spark')
export const absent: boolean = 'missing' in prepared

/**
 * For data of kilobytes: little memory, few partitions, the quick compiler, which takes half the processor time, and no
 * verification of classes, a fifth of a start.
 */
export const conf: Record<string, string | number> = {
  'spark.driver.memory': '1g',
  'spark.driver.extraJavaOptions':
    '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote',
  'spark.sql.shuffle.partitions': 3,
  'spark.ui.enabled': 'false',
}

export function sparkOptions(more: Partial<SparkOptions> = {}): SparkOptions {
  if ('missing' in prepared) throw new Error(prepared.missing)
  const { submit, python } = prepared
  const environment = { PATH: process.env.PATH, JAVA_HOME: process.env.JAVA_HOME, HOME: process.env.HOME }
  return { environment, submit, python, master: 'local[2]', ...more, conf: { ...conf, ...more.conf } }
}

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spark-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What a job said last: its result, or why it failed. */
export type Outcome = { event: 'done' | 'failed' } & Record<string, unknown>

/** Runs jobs one after the other in a single session. */
export async function runMany(
  folder: string,
  jobs: readonly (readonly [name: string, options: Omit<TrainOnSparkOptions, 'spark'>])[],
): Promise<Record<string, Outcome>> {
  const spark = sparkOptions()
  const list = jobs.map(([name, options]) => [name, jobOf(resolveOptions({ ...options, spark }))])
  writeFileSync(join(folder, 'jobs.json'), JSON.stringify(list))
  const properties = { ...conf, 'spark.log.level': 'ERROR', 'spark.local.dir': join(folder, 'local') }
  const { stdout } = await promisify(execFile)(
    spark.submit!,
    [
      ...['--master', 'local[2]'],
      ...Object.entries(properties).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
      join(import.meta.dirname, 'run-many.py'),
      join(import.meta.dirname, '..', 'job'),
      join(folder, 'jobs.json'),
    ],
    { env: { ...spark.environment, PYSPARK_PYTHON: spark.python }, maxBuffer: 1 << 26 },
  )
  const outcomes: Record<string, Outcome> = {}
  let name = ''
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('@seesaw ')) continue
    const message = JSON.parse(line.slice(8))
    if (message.event === 'job') name = message.name
    else if (message.event === 'done' || message.event === 'failed') outcomes[name] = message
  }
  return outcomes
}

/** Command lines of the processes that have a variable in their environment. */
export function processesWith(variable: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable)) return []
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
    } catch {
      return []
    }
  })
}
