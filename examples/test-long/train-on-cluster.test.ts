import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AlsModel, lockDirectory, matrixFromTriplets, Recommender } from '@seesaw/als-core'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { rankInSlices } from '../cluster/rank-in-slices.ts'
import { describeCluster, readClusterSettings } from '../cluster/settings.ts'
import { Program } from '../test/program.ts'

// Child processes on a busy machine take their time; no time is asserted here.
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-'))
  await writeCatalogue({ directory: folder, users: 60, releases: 50, seed: 3 })
})
afterAll(() => rm(folder, { recursive: true }))

describe('settings', () => {
  test('are read from the environment', () => {
    const settings = readClusterSettings({
      WORK_DIR: ' s3://shop/work/ ',
      SPARK_MASTER: 'yarn',
      SPARK_SUBMIT: '/opt/spark/bin/spark-submit',
      SPARK_CONF: 'spark.executor.memory=16g  spark.driver.extraJavaOptions=-Dx=1 -Dy=2 spark.jars=/a.jar',
      SPARK_BLOCKS: '500',
    })
    expect(settings).toMatchObject({
      directory: 's3://shop/work/',
      blocks: 500,
      spark: {
        master: 'yarn',
        submit: '/opt/spark/bin/spark-submit',
        conf: {
          'spark.executor.memory': '16g',
          'spark.driver.extraJavaOptions': '-Dx=1 -Dy=2',
          'spark.jars': '/a.jar',
        },
      },
    })
    expect(describeCluster(settings)).toContain('SPARK_MASTER            yarn')
  })

  test('that are not usable are all named', () => {
    const read = () => readClusterSettings({ WORK_DIR: 'hdfs://nn/work', SPARK_CONF: 'memory=1g', SPARK_BLOCKS: '0' })
    expect(read).toThrow(
      /3 settings are not usable:\n {2}WORK_DIR=hdfs:\/\/nn\/work: expected .*\n {2}SPARK_BLOCKS=0: .*\n {2}SPARK_CONF=memory=1g: "memory=1g" is no/,
    )
    expect(() => readClusterSettings({})).toThrow('WORK_DIR: not set: name a folder or s3://bucket/prefix/')
  })
})

describe('rankInSlices', () => {
  const [users, items, factors, limit] = [30, 100, 5, 8]
  const random = generator(7)
  const numbers = (count: number) => {
    const values = new Float32Array(new SharedArrayBuffer(4 * count))
    // Few different numbers, so that scores are equal now and then.
    for (let i = 0; i < count; i++) values[i] = Math.floor(5 * random()) - 2
    return values
  }
  const model = { factors, users, items, userFactors: numbers(users * factors), itemFactors: numbers(items * factors) }
  const exclude = matrixFromTriplets({
    users,
    items,
    rows: Uint32Array.from({ length: 300 }, (_, i) => i % users),
    columns: Uint32Array.from({ length: 300 }, () => Math.floor(items * random())),
    duplicates: 'max',
  })

  test.for([1, 7, 8, 50, 99, 100, 101])('of %i items finds what a Recommender finds among all', async (sliceItems) => {
    const recommender = new Recommender({ ...model, options: {}, history: [] } as unknown as AlsModel, { threads: 1 })
    const asked = Uint32Array.from({ length: users }, (_, user) => user)
    const expected = await recommender.recommend(asked, { limit, exclude })
    await recommender.close()
    async function* batches() {
      for (let from = 0; from < items; from += 33) {
        yield { data: model.itemFactors.subarray(from * factors, Math.min(items, from + 33) * factors) }
      }
    }
    const done: number[] = []
    const ranked = await rankInSlices({ vectors: model.userFactors, exclude }, batches(), {
      ...{ factors, limit, threads: 1, sliceItems, signal: new AbortController().signal },
      onProgress: (count) => done.push(count),
    })
    const found = await ranked.recommend(asked, { limit, exclude })
    expect(done.at(-1)).toBe(items)
    expect(Array.from(found.counts)).toEqual(Array.from(expected.counts))
    expect(Array.from(found.scores)).toEqual(Array.from(expected.scores))
    expect(Array.from(found.rows)).toEqual(Array.from(expected.rows))
    const one = await ranked.recommend(Uint32Array.of(12), { limit, exclude })
    expect(Array.from(one.rows)).toEqual(Array.from(expected.rows.subarray(12 * limit, 13 * limit)))
  })
})

describe.concurrent('train-on-cluster.ts', () => {
  const run = async (more: Record<string, string>, args: string[] = []) => {
    const environment = { HAVES: join(folder, 'haves'), WORK_DIR: join(folder, 'work'), THREADS: '1', ...more }
    const program = new Program('train-on-cluster.ts', environment, args)
    const { code } = await program.end()
    return { code, stdout: program.stdout, stderr: program.stderr }
  }

  test('--help lists its own variables and those of train.ts that it heeds', async () => {
    const { code, stdout } = await run({}, ['--help'])
    expect(code).toBe(0)
    for (const name of ['WORK_DIR', 'SPARK_CONF', 'HAVES', 'VECTOR_DIM', 'QDRANT_URL']) expect(stdout).toContain(name)
    for (const name of ['OUTPUT_DIR', 'CHECKPOINT_DIR', 'OBJECTIVE']) expect(stdout).not.toContain(name)
    expect(stdout.match(/WORK_DIR/g)).toHaveLength(1)
  })

  test('names every setting that is wrong, those of Spark among the others', async () => {
    const { code, stderr } = await run({ HAVES: '', WORK_DIR: '', VECTOR_DIM: '0', SPARK_BLOCKS: 'many' })
    expect(code).toBe(2)
    for (const name of ['HAVES: not set', 'VECTOR_DIM=0', 'WORK_DIR: not set', 'SPARK_BLOCKS=many']) {
      expect(stderr).toContain(name)
    }
    expect(stderr).toContain('4 settings are not usable')
  })

  test('warns of a variable that is nearly one of its own', async () => {
    const { stderr } = await run({ SPARK_MASTR: 'yarn', SPARK_SUBMIT: join(folder, 'nowhere') })
    expect(stderr).toContain('SPARK_MASTR is set and is no setting. Did you mean SPARK_MASTER?')
  })

  test('says what to install where there is no Spark', async () => {
    const { code, stderr } = await run({ SPARK_SUBMIT: join(folder, 'nowhere'), WORK_DIR: join(folder, 'a') })
    expect(code).toBe(1)
    expect(stderr).toContain('nowhere" was not found. Install Spark 4 (pip install pyspark numpy)')
  })

  test('refuses what MLlib cannot express', async () => {
    const settings = { OBJECTIVE: 'ials', POPULARITY_EXPONENT: '0.25', INITIAL_MODEL: folder }
    const { code, stderr } = await run({ ...settings, WORK_DIR: join(folder, 'b') })
    expect(code).toBe(1)
    expect(stderr).toContain('objective: MLlib minimises the objective of Hu, Koren and Volinsky alone')
    expect(stderr).toContain('popularityExponent: MLlib does not weigh items')
    expect(stderr).toContain('initial: MLlib starts at random')
  })

  test('says where there are no rows at all', async () => {
    const empty = join(folder, 'empty.parquet')
    const columnData = ['user_id', 'release_id'].map((name) => ({ name, data: [], type: 'INT32' as const }))
    parquetWriteFile({ filename: empty, columnData })
    const { code, stderr } = await run({ HAVES: empty, WORK_DIR: join(folder, 'd') })
    expect(code).toBe(1)
    expect(stderr).toContain('No rows in haves: expected interactions in at least one.')
  })

  test('a WORK_DIR that is a file, and one that another run has', async () => {
    const file = join(folder, 'haves', 'here')
    writeFileSync(file, '')
    const wrong = await run({ WORK_DIR: file })
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain(`WORK_DIR=${file}: not a folder`)
    const taken = join(folder, 'taken')
    const unlock = await lockDirectory(taken)
    const second = await run({ WORK_DIR: taken })
    await unlock()
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(taken)
  })

  test('hands Spark the loader’s files, keys in the environment alone, and what Spark says to the user', async () => {
    const submit = join(folder, 'spark-submit')
    mkdirSync(join(folder, 'seen'))
    const seen = (name: string) => readFileSync(join(folder, 'seen', name), 'utf8')
    writeFileSync(
      submit,
      `#!/bin/sh
cd "${folder}/seen"
echo "$@" > args; env > env
for a in "$@"; do last=$a; done; cat "$last" > job.json
echo '@seesaw {"event":"failed","code":"empty","message":"Nothing is left: lower thresholds.user."}'
exit 1
`,
    )
    chmodSync(submit, 0o755)
    const { code, stderr } = await run({
      SPARK_SUBMIT: submit,
      SPARK_MASTER: 'local[3]',
      SPARK_CONF: 'spark.ui.enabled=false',
      AWS_SECRET_ACCESS_KEY: 'the-secret',
      AWS_REGION: 'eu-north-1',
      WORK_DIR: join(folder, 'c'),
      SAMPLE_FRAC_HAVES: '0.5',
    })
    expect(code).toBe(1)
    expect(stderr).toContain('Nothing is left: lower thresholds.user.')
    expect(seen('args')).toContain('--master local[3]')
    expect(seen('args')).toContain('--conf spark.ui.enabled=false')
    expect(seen('args')).toContain('--conf spark.hadoop.fs.s3a.endpoint.region=eu-north-1')
    expect(seen('args')).not.toContain('the-secret')
    expect(seen('env')).toContain('AWS_SECRET_ACCESS_KEY=the-secret')
    const { sources, ...job } = JSON.parse(seen('job.json'))
    expect(job).toMatchObject({ thresholds: { user: 20, item: 50 }, factors: 128, directory: `file://${folder}/c` })
    expect(sources).toHaveLength(1)
    expect(sources[0]).toMatchObject({ listed: true, item: 'release_id', below: 2 ** 31 })
    expect(sources[0].paths.every((path: string) => path.startsWith(`file://${folder}/haves/`))).toBe(true)
  })
})

function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
