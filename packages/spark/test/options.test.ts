import { expect, test } from 'vitest'
import { type SparkError, trainOnSpark } from '../src/index.ts'
import { jobOf } from '../src/job.ts'
import { resolveOptions } from '../src/resolve-options.ts'
import { hadoopPath, loaderPath } from '../src/storage-path.ts'

const least = {
  sources: [{ name: 'haves', uri: '/shop/haves', confidence: 3 }],
  directory: '/out',
  spark: { environment: {} },
}

function problemsOf(options: Record<string, unknown>): string {
  try {
    resolveOptions({ ...least, ...options } as never)
  } catch (error) {
    expect((error as SparkError).code).toBe('options')
    return (error as SparkError).message
  }
  throw new Error('no problem was found')
}

test('what MLlib or the job cannot express is refused, with the reason', () => {
  const problems = problemsOf({
    objective: 'ials',
    regularizationScaling: 'none',
    unobservedWeight: 0.1,
    merge: 'sum',
    sampleBy: 'row',
    initial: {},
    thresholds: { repeat: true },
    sources: [{ name: 'plays', uri: 'p', confidence: 2, time: { column: 't' }, partitions: { year: '2024' } }],
  })
  for (const line of [
    "objective: MLlib minimises the objective of Hu, Koren and Volinsky alone: expected 'hkv'",
    "regularizationScaling: MLlib multiplies λ by a row's entries, always: expected 'count'",
    "unobservedWeight: belongs to the objective 'ials'",
    "merge: the job keeps the largest confidence of a pair: expected 'max'",
    "sampleBy: the job samples whole users: expected 'user'",
    'initial: MLlib starts at random',
    'thresholds.repeat: the job applies thresholds once',
    'sources.0.time: windows and decay are not in the job',
    'sources.0.partitions: not in the job',
  ]) {
    expect(problems).toContain(`\n  ${line}`)
  }
})

test('and taken where it is what the job does anyway', () => {
  const same = { objective: 'hkv', regularizationScaling: 'count', merge: 'max', sampleBy: 'user' } as object
  expect(resolveOptions({ ...least, ...same }).factors).toBe(128)
})

test('a confidence that Spark would take for a dislike', () => {
  const sources = [
    { name: 'haves', uri: 'h', confidence: 3 },
    { name: 'wants', uri: 'w', confidence: 1 },
    { name: 'ratings', uri: 'r', confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } } },
  ]
  expect(problemsOf({ sources })).toMatch(
    /^ {2}sources\.1\.confidence: the least of "wants" is 1, times alpha 1 it is 1; MLlib trains on/m,
  )
  expect(problemsOf({ sources, alpha: 0.4 })).toMatch(
    /sources\.2\.confidence: the least of "ratings" is 2, times alpha 0.4 it is 0.8/,
  )
  expect(resolveOptions({ ...least, sources, alpha: 1.01 }).alpha).toBe(1.01)
})

test('where Spark runs', () => {
  expect(resolveOptions({ ...least, spark: { environment: process.env } }).spark.environment.PATH).toBe(
    process.env.PATH,
  )
  expect(problemsOf({ spark: {} })).toContain('expected an object of variables, such as process.env')
  const problems = (spark: object) => problemsOf({ spark: { environment: {}, ...spark } })
  expect(problems({ master: 'sc://host' })).toContain('Spark Connect refuses ALS models above some 2 million rows')
  expect(problems({ master: 'mesos://host' })).toContain("expected 'local[*]', 'local[N]'")
  expect(problems({ conf: { 'spark.submit.deployMode': 'cluster' } })).toContain(
    'in cluster mode an abort here does not end',
  )
  expect(problems({ conf: { 'spark.hadoop.fs.s3a.secret.key': 'x' } })).toContain('give s3.credentials')
  expect(problems({ conf: { 'spark.hadoop.fs.s3a.bucket.shop.access.key': 'x' } })).toContain('give s3.credentials')
  expect(problems({ conf: { master: 'x' } })).toContain('expected a name that begins with "spark."')
  expect(problems({ packages: ['hadoop-aws'] })).toContain('expected group:artifact:version')
})

test('sources', () => {
  expect(problemsOf({ sources: [] })).toContain('sources')
  expect(problemsOf({ sources: [{ name: 'plays', uri: 'p' }] })).toContain('the least of "plays" is 1, times alpha 1')
  expect(problemsOf({ sources: [{ name: 'haves' }] })).toContain('give either `uri` or `files`')
  expect(problemsOf({ sources: [least.sources[0], least.sources[0]] })).toContain('two sources have the same name')
  expect(problemsOf({ sources: [{ name: 'haves', uri: 's3://shop/*' }] })).toContain('not a glob')
  expect(problemsOf({ factor: 3 })).toContain('Unrecognized key: "factor"')
})

test('a model needs an iteration', async () => {
  await expect(trainOnSpark({ ...least, iterations: 0 })).rejects.toThrow(
    'For entries without a model call mergeOnSpark',
  )
})

test('the job as it is written down', () => {
  const values = new Map<string | number, number>([
    [5, 5],
    ['good', 2],
  ])
  const { starter, ...job } = jobOf(
    resolveOptions({
      ...least,
      sources: [
        { name: 'haves', uri: 's3://shop/haves/', confidence: 3, sample: 0.3 },
        {
          name: 'ratings',
          files: ['/a [1]/x*.parquet', 's3://b/c{d}.parquet'],
          confidence: { column: 'stars', values },
        },
        { name: 'plays', uri: '/plays', user: 'u', confidence: { column: 'n', weight: 'log1p', offset: 2 } },
      ],
      holdOut: 0.2,
    }),
  )
  expect(starter).toBe(process.pid)
  expect(job).toMatchInlineSnapshot(`
    {
      "alpha": 1,
      "blocks": null,
      "checkpointInterval": 5,
      "directory": "file:///out",
      "factors": 128,
      "heldOutBelow": 858993459,
      "heldOutUsers": 20000,
      "iterations": 15,
      "regularization": 0.1,
      "seed": 42,
      "sources": [
        {
          "below": 1288490189,
          "confidence": {
            "value": 3,
            "way": "constant",
          },
          "item": "item_id",
          "listed": false,
          "name": "haves",
          "paths": [
            "s3a://shop/haves",
          ],
          "user": "user_id",
        },
        {
          "below": 4294967296,
          "confidence": {
            "column": "stars",
            "values": [
              [
                "5",
                5,
              ],
              [
                "good",
                2,
              ],
            ],
            "way": "table",
          },
          "item": "item_id",
          "listed": true,
          "name": "ratings",
          "paths": [
            "file:///a \\[1\\]/x\\*.parquet",
            "s3a://b/c\\{d\\}.parquet",
          ],
          "user": "user_id",
        },
        {
          "below": 4294967296,
          "confidence": {
            "column": "n",
            "factor": 1,
            "offset": 2,
            "way": "weight",
            "weight": "log1p",
          },
          "item": "item_id",
          "listed": false,
          "name": "plays",
          "paths": [
            "file:///plays",
          ],
          "user": "u",
        },
      ],
      "thresholds": {
        "item": 1,
        "user": 1,
      },
    }
  `)
})

test('places', () => {
  expect(hadoopPath('s3://shop/haves/')).toBe('s3a://shop/haves')
  expect(hadoopPath('hdfs://host:1/a b')).toBe('hdfs://host:1/a b')
  expect(hadoopPath('/a [b]/c')).toBe('file:///a \\[b\\]/c')
  expect(loaderPath('s3a://shop/out/users')).toBe('s3://shop/out/users')
  expect(loaderPath('file:///out/users')).toBe('/out/users')
  expect(loaderPath('hdfs://host/out')).toBe('hdfs://host/out')
})
