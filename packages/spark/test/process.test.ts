import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type SparkProgress, trainOnSpark } from '../src/index.ts'
import { fakeSpark, says } from './fake-spark.ts'

const result = {
  entries: 10,
  confidenceSum: 25.5,
  users: { seen: 4, active: 3 },
  items: { seen: 5, active: 5 },
  factors: 8,
  resumed: false,
  spark: '4.3.0',
}

test('arguments, environment and job file; the keys are in the environment alone', async () => {
  const { folder, ...options } = fakeSpark(
    `for a in "$@"; do echo "$a"; last=$a; done > args; env > env; cat "$last" > job.json
    ${says('started', { nativeBlas: true })}${says('done', result)}`,
  )
  await trainOnSpark({
    ...options,
    blocks: 500,
    spark: {
      ...options.spark,
      environment: { PATH: process.env.PATH, HADOOP_CONF_DIR: '/etc/hadoop', NOT_SET: undefined },
      python: '/opt/python3',
      conf: { 'spark.executor.memory': '8g', 'spark.sql.shuffle.partitions': 7 },
      packages: ['org.apache.hadoop:hadoop-aws:3.5.0'],
      jars: ['/a.jar', '/b.jar'],
    },
    s3: {
      endpoint: 'http://localhost:9000',
      credentials: async () => ({ accessKeyId: 'the-id', secretAccessKey: 'the-secret', sessionToken: 'the-token' }),
    },
  })
  const args = readFileSync(join(folder, 'args'), 'utf8')
  for (const pair of [
    '--master\nlocal[*]',
    '--deploy-mode\nclient',
    '--conf\nspark.executor.memory=8g',
    '--conf\nspark.sql.shuffle.partitions=7',
    '--conf\nspark.hadoop.fs.s3a.endpoint=http://localhost:9000',
    '--conf\nspark.hadoop.fs.s3a.path.style.access=true',
    '--conf\nspark.hadoop.fs.s3a.connection.ssl.enabled=false',
    '--conf\nspark.hadoop.fs.s3a.endpoint.region=us-east-1',
    '--packages\norg.apache.hadoop:hadoop-aws:3.5.0',
    '--jars\n/a.jar,/b.jar',
  ]) {
    expect(args).toContain(`${pair}\n`)
  }
  const environment = readFileSync(join(folder, 'env'), 'utf8')
  const keys = ['AWS_ACCESS_KEY_ID=the-id', 'AWS_SECRET_ACCESS_KEY=the-secret', 'AWS_SESSION_TOKEN=the-token']
  const pythons = ['PYSPARK_PYTHON=/opt/python3', 'PYSPARK_DRIVER_PYTHON=/opt/python3']
  for (const variable of [...keys, 'HADOOP_CONF_DIR=/etc/hadoop', ...pythons]) {
    expect(environment).toContain(`${variable}\n`)
  }
  expect(args + readFileSync(join(folder, 'job.json'), 'utf8')).not.toMatch(/the-id|the-secret|the-token/)
  // The job file was in a folder that is gone.
  const jobFile = args.trimEnd().split('\n').at(-1)!
  expect(existsSync(jobFile)).toBe(false)
  expect(args).toContain(`spark.local.dir=${join(jobFile, '..', 'local')}`)
})

test('a spark-submit of a virtual environment runs by the Python of that environment, unless told otherwise', async () => {
  const pythonOf = async (venv: boolean, environment: Record<string, string> = {}): Promise<string> => {
    const { folder, ...options } = fakeSpark(`echo "$PYSPARK_PYTHON" > python\n${says('done', result)}`)
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    renameSync(options.spark.submit!, join(bin, 'spark-submit'))
    if (venv) writeFileSync(join(folder, 'pyvenv.cfg'), '')
    const spark = {
      ...options.spark,
      submit: join(bin, 'spark-submit'),
      environment: { PATH: process.env.PATH, ...environment },
    }
    await trainOnSpark({ ...options, spark })
    return readFileSync(join(folder, 'python'), 'utf8').trim().replace(folder, '')
  }
  expect(await pythonOf(true)).toBe('/bin/python')
  expect(await pythonOf(false)).toBe('')
  expect(await pythonOf(true, { PYSPARK_PYTHON: '/opt/python' })).toBe('/opt/python')
})

test('progress, warnings and the result, among what Spark prints itself', async () => {
  const progress: SparkProgress[] = []
  const { folder, ...options } = fakeSpark(
    `echo "26/11/28 WARN something"
    ${says('started', { nativeBlas: false })}${says('progress', { phase: 'merge', done: 2, total: 8, seconds: 1.5 })}
    printf 'unfinished '
    ${says('progress', { phase: 'train', done: 0.5, total: 15, seconds: 3 })}echo '@seesaw {not json'
    ${says('done', result)}`,
    { holdOut: 0.2, onProgress: (each) => progress.push(each) },
  )
  const model = await trainOnSpark(options)
  expect(progress).toEqual([
    { phase: 'start', done: 0, unit: 'tasks', seconds: 0 },
    { phase: 'merge', done: 2, total: 8, unit: 'tasks', seconds: 1.5 },
    { phase: 'train', done: 0.5, total: 15, unit: 'iterations', seconds: 3 },
  ])
  const out = join(folder, 'out')
  expect(model).toMatchObject({
    ...result,
    entriesAt: `${out}/entries`,
    usersAt: `${out}/users`,
    itemsAt: `${out}/items`,
    userIdsAt: `${out}/ids/users`,
    heldOutAt: { entries: `${out}/held-out/entries`, users: `${out}/held-out/users` },
  })
  expect(model.warnings).toEqual([expect.stringContaining('no native BLAS')])
})

/** Starts a child in its group, says that it trains, and waits for signals. */
const waiting = (onTerm: string, ofChild: string) => `
  sh -c '${ofChild} while :; do sleep 0.1; done' &
  child=$!
  trap '${onTerm}' TERM
  echo "$$ $child" > pids
  ${says('progress', { phase: 'train', done: 1, total: 15, seconds: 1 })}
  while :; do sleep 0.1; done`

async function abortedRun(
  onTerm: string,
  ofChild: string,
): Promise<{ seconds: number; alive: boolean[]; told: boolean }> {
  const controller = new AbortController()
  let began = 0
  const { folder, ...options } = fakeSpark(waiting(onTerm, ofChild), {
    signal: controller.signal,
    onProgress: ({ phase }) => {
      if (phase !== 'train') return
      began = performance.now()
      controller.abort(new Error('enough'))
    },
  })
  await expect(trainOnSpark(options)).rejects.toThrow('enough')
  const seconds = (performance.now() - began) / 1000
  const pids = readFileSync(join(folder, 'pids'), 'utf8').trim().split(' ').map(Number)
  return { seconds, alive: pids.map(isAlive), told: existsSync(join(folder, 'told')) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie that its parent has not collected yet is no process.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

test('an abort is a SIGTERM to spark-submit, and the call ends when its processes have', async () => {
  const { seconds, alive, told } = await abortedRun('touch told; kill $child; exit 143', '')
  expect(told).toBe(true)
  expect(alive).toEqual([false, false])
  expect(seconds).toBeLessThan(7.9)
})

test('what does not end, or is left behind, is killed with the group after 8 s', async () => {
  const { seconds, alive } = await abortedRun('exit 143', 'trap "" TERM;')
  expect(alive).toEqual([false, false])
  expect(seconds).toBeGreaterThan(7.9)
})

test('an abort before it begins starts nothing', async () => {
  const { folder, ...options } = fakeSpark('touch started', { signal: AbortSignal.abort(new Error('never mind')) })
  await expect(trainOnSpark(options)).rejects.toThrow('never mind')
  expect(existsSync(join(folder, 'started'))).toBe(false)
})
