import { existsSync } from 'node:fs'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResolvedOptions, S3Credentials, S3Options } from './options.ts'

const program = fileURLToPath(new URL('../job/train.py', import.meta.url))

/** Arguments of spark-submit. The keys are not among them. */
export function argumentsOf(options: ResolvedOptions, jobFile: string, localFolder: string): string[] {
  const { spark } = options
  const conf = { ...defaultsOf(options, localFolder), ...spark.conf }
  return [
    ...['--master', spark.master, '--deploy-mode', 'client', '--name', 'seesaw'],
    ...Object.entries(conf).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
    ...(spark.packages.length > 0 ? ['--packages', spark.packages.join()] : []),
    ...(spark.jars.length > 0 ? ['--jars', spark.jars.join()] : []),
    program,
    jobFile,
  ]
}

/** Environment of spark-submit. Spark takes the keys of S3A from it and hands them to its executors. */
export async function environmentOf({ spark, s3 }: ResolvedOptions): Promise<NodeJS.ProcessEnv> {
  const { credentials } = s3 ?? {}
  const keys: S3Credentials | undefined = typeof credentials === 'function' ? await credentials() : credentials
  const python = spark.python ?? (spark.environment.PYSPARK_PYTHON ? undefined : pythonBeside(spark.submit))
  return {
    ...spark.environment,
    ...(python && { PYSPARK_PYTHON: python, PYSPARK_DRIVER_PYTHON: python }),
    ...(keys && {
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_SESSION_TOKEN: keys.sessionToken,
    }),
  }
}

/** The Python of a virtual environment that spark-submit is in: by any other it does not find its own Spark. */
function pythonBeside(submit: string): string | undefined {
  const folder = dirname(submit)
  return existsSync(join(folder, '..', 'pyvenv.cfg')) ? join(folder, 'python') : undefined
}

function defaultsOf({ spark, s3, blocks = 0 }: ResolvedOptions, localFolder: string): Record<string, string | number> {
  const local = spark.master.startsWith('local')
  return {
    'spark.ui.showConsoleProgress': 'false',
    'spark.log.level': 'ERROR',
    // Blocks that are used no more are removed, checkpoints with them.
    'spark.cleaner.referenceTracking.cleanCheckpoints': 'true',
    'spark.sql.shuffle.partitions': Math.max(200, blocks),
    // All of a local Spark is in the driver, for which Spark's default is 1 GB.
    ...(local && { 'spark.driver.memory': `${Math.max(1, Math.floor(memory() / 2 ** 31))}g` }),
    ...(local && { 'spark.local.dir': localFolder }),
    ...(s3 && s3aOf(s3)),
  }
}

function s3aOf({ endpoint, region, forcePathStyle = endpoint !== undefined, maxAttempts }: S3Options) {
  const properties: Record<string, string | number> = { 'path.style.access': String(forcePathStyle) }
  if (endpoint !== undefined) {
    properties.endpoint = endpoint
    properties['connection.ssl.enabled'] = String(endpoint.startsWith('https:'))
  }
  const place = region ?? (endpoint === undefined ? undefined : 'us-east-1')
  if (place !== undefined) properties['endpoint.region'] = place
  if (maxAttempts !== undefined) properties['attempts.maximum'] = maxAttempts
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [`spark.hadoop.fs.s3a.${name}`, value]))
}

/** Bytes of memory: the container's, or the machine's. */
function memory(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
}
