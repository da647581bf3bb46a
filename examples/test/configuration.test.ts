import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigurationError, describeConfiguration, readConfiguration } from '../pipeline/configuration.ts'

const folder = tmpdir()

test('defaults', () => {
  expect(readConfiguration({ HAVES: folder, VECTOR_DIM: '', PATH: '/bin' })).toEqual({
    HAVES: folder,
    SAMPLE_FRAC_HAVES: 0.1,
    SAMPLE_FRAC_WANTS: 0.1,
    SAMPLE_FRAC_RATINGS: 0.1,
    MIN_USER_INTERACTIONS: 20,
    MIN_ITEM_INTERACTIONS: 50,
    VECTOR_DIM: 128,
    ITERATIONS: 15,
    REGULARIZATION: 0.1,
    REGULARIZATION_SCALING: 'none',
    OBJECTIVE: 'hkv',
    ALPHA: 1,
    UNOBSERVED_WEIGHT: 0.1,
    HOLD_OUT: 0,
    THREADS: availableParallelism(),
    SEED: 42,
    OUTPUT_DIR: './model',
    COLLECTION_ALIAS: 'recommendations',
    MAX_WORKERS: 4,
    BATCH_SIZE: 500,
  })
})

test('a program can have other defaults, and the environment wins over them', () => {
  const standards = { HAVES: folder, VECTOR_DIM: '64', SAMPLE_FRAC_HAVES: '1' }
  const configuration = readConfiguration({ VECTOR_DIM: '32' }, standards)
  expect([configuration.VECTOR_DIM, configuration.SAMPLE_FRAC_HAVES]).toEqual([32, 1])
})

test('every bad variable is listed at once', () => {
  const problems = problemsOf({
    WANTS: 'ftp://host/wants/',
    RELEASES: '/no/such/folder',
    RATINGS: 's3://',
    S3_ENDPOINT: 'localhost:9000',
    SAMPLE_FRAC_HAVES: '2',
    SAMPLE_FRAC_WANTS: '0',
    MIN_USER_INTERACTIONS: '-1',
    VECTOR_DIM: '12.5',
    ITERATIONS: '0',
    REGULARIZATION: 'small',
    REGULARIZATION_SCALING: 'sometimes',
    OBJECTIVE: 'bpr',
    HOLD_OUT: '1',
    THREADS: 'all',
    COLLECTION_ALIAS: 'two words',
    QDRANT_URL: 'qdrant',
    MAX_WORKERS: '1000',
    OUTPUT_DIR: join(import.meta.filename, 'model'),
  })
  expect(problems.sort()).toEqual([
    'COLLECTION_ALIAS=two words: expected letters, digits, dot, dash or underscore',
    'HOLD_OUT=1: expected a fraction from 0 to 0.9',
    'ITERATIONS=0: expected a whole number from 1 to 10000',
    'MAX_WORKERS=1000: expected a whole number from 1 to 64',
    'MIN_USER_INTERACTIONS=-1: expected a whole number from 1 to 1000000000',
    "OBJECTIVE=bpr: expected 'hkv' or 'ials'",
    `OUTPUT_DIR=${join(import.meta.filename, 'model')}: expected a folder that can be made or written to`,
    'QDRANT_URL=qdrant: expected a URL such as http://localhost:6333',
    'RATINGS=s3://: expected s3://bucket/prefix/',
    'REGULARIZATION=small: expected a number, at least 0',
    "REGULARIZATION_SCALING=sometimes: expected 'none', 'count' or an exponent from 0 to 1",
    'RELEASES=/no/such/folder: no such folder or file',
    'S3_ENDPOINT=localhost:9000: expected a URL such as http://localhost:9000',
    'SAMPLE_FRAC_HAVES=2: expected a fraction above 0, at most 1',
    'SAMPLE_FRAC_WANTS=0: expected a fraction above 0, at most 1',
    'THREADS=all: expected a whole number from 1 to 1024',
    'VECTOR_DIM=12.5: expected a whole number from 1 to 4096',
    'WANTS=ftp://host/wants/: expected s3://bucket/prefix/, a folder or a file',
  ])
})

test('no source at all is a problem beside the others', () => {
  expect(problemsOf({ SEED: 'lucky' }).sort()).toEqual([
    'HAVES: not set, nor WANTS or RATINGS: name at least one source, as s3://bucket/prefix/ or a folder of Parquet',
    'SEED=lucky: expected a whole number from 0 to 4294967295',
  ])
})

test('the printed configuration shows every variable and no secret', () => {
  const lines = describeConfiguration(
    readConfiguration({ HAVES: folder, QDRANT_API_KEY: 'hunter2', QDRANT_URL: 'https://me:secret@host:6333' }),
  )
  expect(lines.join('\n')).not.toMatch(/hunter2|secret/)
  expect(lines).toContain(`HAVES                   ${folder}`)
  expect(lines).toContain('QDRANT_API_KEY          ********')
  expect(lines).toContain('WANTS                   -')
})

function problemsOf(environment: Record<string, string>): string[] {
  try {
    readConfiguration(environment)
  } catch (error) {
    if (error instanceof ConfigurationError) return [...error.problems]
    throw error
  }
  throw new Error('accepted')
}
