import { availableParallelism, tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import {
  ConfigurationError,
  chosenSettings,
  describeSettings,
  type Environment,
  lookalikes,
  readConfiguration,
} from '../configuration/read-configuration.ts'
import { defineConfig, type SeesawConfig } from '../configuration/schema.ts'
import { settingsOf } from '../configuration/settings.ts'
import recordShop from '../seesaw.config.ts'

const folder = tmpdir()

test('the record shop: its defaults, and sources that the environment gives a place', () => {
  const configuration = readConfiguration(recordShop, { HAVES: folder, SAMPLE_FRAC_HAVES: '0.5', PATH: '/bin' })
  expect(configuration.sources).toEqual([
    { name: 'haves', uri: folder, user: 'user_id', item: 'release_id', confidence: 3, sample: 0.5 },
  ])
  expect(configuration).toMatchObject({
    thresholds: { user: 20, item: 50, repeat: false },
    merge: 'max',
    training: { factors: 128, iterations: 15, regularization: 0.1, objective: 'hkv', alpha: 1, unobservedWeight: 0.1 },
    holdOut: 0,
    seed: 42,
    threads: availableParallelism(),
    output: { model: './model' },
    qdrant: { alias: 'recommendations', vectors: 'both', users: false, concurrency: 4, batchSize: 500 },
  })
})

test('every variable arrives at its place, and wins over the module', () => {
  const texts: Record<string, [string, unknown]> = {
    REGULARIZATION_SCALING: ['0.5', { nu: 0.5 }],
    OBJECTIVE: ['ials', 'ials'],
    FEATURES: ['artists, year', ['artists', 'year']],
    CATALOGUE: ['all', 'all'],
    ALLOW_NEW_SHAPE: ['true', true],
    TUNE: ['true', true],
    VECTORS: ['taste', 'taste'],
    PUBLISH_USERS: ['true', true],
    S3_ENDPOINT: ['http://localhost:9000', 'http://localhost:9000'],
    QDRANT_URL: ['https://me:secret@host:6333', 'https://me:secret@host:6333'],
  }
  const settings = settingsOf(recordShop)
  const environment: Record<string, string> = {}
  const expected = settings.map(({ variable, parse, path }) => {
    const [text, value] = texts[variable] ?? (path.at(-1) === 'uri' ? [folder, folder] : parse ? ['1', 1] : ['x', 'x'])
    environment[variable] = variable === 'HOLD_OUT' ? '0.5' : text
    return [variable, variable === 'HOLD_OUT' ? 0.5 : value]
  })
  const configuration = readConfiguration(recordShop, environment) as unknown as Record<string | number, unknown>
  const found = settings.map(({ variable, path }) => [
    variable,
    path.reduce<unknown>((value, step) => (value as Record<string | number, unknown>)[step], configuration),
  ])
  expect(found).toEqual(expected)
})

test('another shop names its sources, and with them its variables', () => {
  const films = defineConfig({
    sources: [
      { name: 'watched', uri: folder, item: 'film_id', confidence: 1 },
      { name: 'star-ratings', item: 'film_id', confidence: { column: 'stars', weight: 'linear' } },
    ],
    items: { name: 'films', payload: { title: 'value' } },
  })
  const names = settingsOf(films).map(({ variable }) => variable)
  expect(names.slice(0, 7)).toEqual([
    'WATCHED',
    'STAR_RATINGS',
    'FILMS',
    'FEATURES',
    'CATALOGUE',
    'SAMPLE_FRAC_WATCHED',
    'SAMPLE_FRAC_STAR_RATINGS',
  ])
  expect(readConfiguration(films, {}).sources.map(({ name }) => name)).toEqual(['watched'])
  const both = readConfiguration(films, { STAR_RATINGS: folder, FILMS: folder })
  expect([both.sources.length, both.items.uri, both.thresholds.user]).toEqual([2, folder, 1])
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
    ITERATIONS: '0x10',
    REGULARIZATION: 'small',
    REGULARIZATION_SCALING: 'sometimes',
    OBJECTIVE: 'bpr',
    HOLD_OUT: '1',
    THREADS: 'all',
    COLLECTION_ALIAS: 'two words',
    QDRANT_URL: 'qdrant',
    MAX_WORKERS: '1000',
  })
  expect(problems.sort()).toEqual([
    'COLLECTION_ALIAS=two words: expected letters, digits, dots, dashes or underscores',
    'HOLD_OUT=1: expected a fraction from 0 to 0.9',
    'ITERATIONS=0x10: expected an integer from 1 to 10000',
    'MAX_WORKERS=1000: expected an integer from 1 to 64',
    'MIN_USER_INTERACTIONS=-1: expected an integer from 1 to 1000000000',
    "OBJECTIVE=bpr: expected 'hkv' or 'ials'",
    'QDRANT_URL=qdrant: expected a URL such as http://localhost:6333',
    'RATINGS=s3://: expected s3://bucket/prefix/',
    'REGULARIZATION=small: expected a number of at least 0',
    "REGULARIZATION_SCALING=sometimes: expected 'none', 'count' or an exponent from 0 to 1",
    'RELEASES=/no/such/folder: no such folder or file',
    'S3_ENDPOINT=localhost:9000: expected a URL such as http://localhost:9000',
    'SAMPLE_FRAC_HAVES=2: expected a fraction above 0, at most 1',
    'SAMPLE_FRAC_WANTS=0: expected a fraction above 0, at most 1',
    'THREADS=all: expected an integer from 1 to 1024',
    'VECTOR_DIM=12.5: expected an integer from 1 to 4096',
    'WANTS=ftp://host/wants/: expected s3://bucket/prefix/, a folder or a file',
  ])
})

test('no source at all is a problem beside the others', () => {
  expect(problemsOf({ SEED: 'lucky' }).sort()).toEqual([
    'HAVES: not set, nor WANTS or RATINGS: name at least one source, as s3://bucket/prefix/ or a folder of Parquet',
    'SEED=lucky: expected an integer from 0 to 4294967295',
  ])
})

test('what is wrong in the module is named by its place there', () => {
  const config = {
    sources: [{ name: 'haves', uri: '/no/such/folder', confidence: 3 }],
    training: { factor: 64, iterations: 'ten' },
    items: { payload: { title: 'text' } },
  }
  expect(problemsOf({}, config as unknown as SeesawConfig).sort()).toEqual([
    `seesaw.config.ts: "factor" in training: no such option`,
    `seesaw.config.ts: items.payload.title is "text": expected 'value' or 'list'`,
    'seesaw.config.ts: sources[0].uri is "/no/such/folder": no such folder or file',
    'seesaw.config.ts: training.iterations is "ten": expected an integer from 1 to 10000',
  ])
  expect(problemsOf({}, {} as SeesawConfig)).toEqual([
    'seesaw.config.ts: sources is undefined, expected a list of sources',
  ])
})

test('a variable that differs from a setting by its case or its underscores alone is refused, one a slip away is named', () => {
  expect(problemsOf({ HAVES: folder, VECTORDIM: '64', 'min-user-interactions': '3', QDRANTAPIKEY: 'hunter2' })).toEqual(
    [
      'VECTORDIM=64: no such setting. Write VECTOR_DIM',
      'min-user-interactions=3: no such setting. Write MIN_USER_INTERACTIONS',
      'QDRANTAPIKEY=********: no such setting. Write QDRANT_API_KEY',
    ],
  )
  const near = { HAVES: folder, RELEASE: 'v1', VECTOR_DIMS: '64', HOME: '/root', LANG: 'C', SHELL: 'sh', USER: 'me' }
  expect(lookalikes(recordShop, near)).toEqual([
    'RELEASE is set and is no setting. Did you mean RELEASES?',
    'VECTOR_DIMS is set and is no setting. Did you mean VECTOR_DIM?',
  ])
  expect(lookalikes(recordShop, { ...near, RELEASES: folder, VECTOR_DIM: '64' })).toEqual([])
})

test('the printed configuration shows every variable and no secret', () => {
  const environment = { WANTS: folder, QDRANT_API_KEY: 'hunter2', QDRANT_URL: 'https://me:secret@host:6333' }
  const lines = describeSettings(chosenSettings(recordShop, readConfiguration(recordShop, environment)))
  expect(lines.join('\n')).not.toMatch(/hunter2|secret/)
  expect(lines).toHaveLength(settingsOf(recordShop).length)
  expect(lines).toContain(`WANTS                   ${folder}`)
  expect(lines).toContain('QDRANT_API_KEY          ********')
  expect(lines).toContain('RATINGS                 -')
})

function problemsOf(environment: Environment, config: SeesawConfig = recordShop): string[] {
  try {
    readConfiguration(config, environment)
  } catch (error) {
    if (error instanceof ConfigurationError) return [...error.problems]
    throw error
  }
  throw new Error('accepted')
}

test('features need a catalogue, and all of a catalogue needs features', () => {
  expect(problemsOf({ HAVES: folder, FEATURES: 'artists' })).toEqual([
    'FEATURES=artists: expected none without a catalogue: features are columns of it. Say where it is',
  ])
  expect(problemsOf({ HAVES: folder, RELEASES: folder, CATALOGUE: 'all' })).toEqual([
    "CATALOGUE=all: expected 'trained' without features: what nobody has is placed by them. Name some, as artists,styles",
  ])
  expect(problemsOf({ HAVES: folder, RELEASES: folder, FEATURES: 'artists,,year' })[0]).toMatch(/names of columns/)
  const { items } = readConfiguration(recordShop, {
    HAVES: folder,
    RELEASES: folder,
    FEATURES: 'styles',
    CATALOGUE: 'all',
  })
  expect([items.features, items.catalogue]).toEqual([['styles'], 'all'])
  expect(readConfiguration(recordShop, { HAVES: folder, FEATURES: 'none' }).items.features).toEqual([])
})

test('without an option that depends on the data, the shape of the data decides', () => {
  const sources = [{ name: 'plays', uri: folder, user: 'user', item: 'item' }]
  const recommends = (training: SeesawConfig['training'], environment: Environment = {}) =>
    readConfiguration({ sources, training }, environment).recommend
  expect(recommends(undefined)).toBe(true)
  expect(recommends({ factors: 64, iterations: 8, tolerance: 0.01 }, { VECTOR_DIM: '32', TUNE: 'true' })).toBe(true)
  expect(recommends({ alpha: 1 })).toBe(false)
  expect(recommends({}, { POPULARITY_EXPONENT: '0' })).toBe(false)
  expect(readConfiguration(recordShop, { HAVES: folder }).recommend).toBe(false)
  const lines = describeSettings(chosenSettings({ sources }, readConfiguration({ sources }, {}))).join('\n')
  expect(lines).toMatch(/^VECTOR_DIM +128$/m)
  expect(lines).toMatch(/^ALPHA +by the shape of the data$/m)
})

test('a list of no sources is said once, and the variable of a shell is no slip', () => {
  expect(() => readConfiguration({ sources: [] }, {})).toThrow(
    /^One setting is not usable:\n.*sources is \[\]: expected at/,
  )
  const config = { sources: [{ name: 'a', uri: folder, user: 'user', item: 'item' }] }
  expect(lookalikes(config, { _: '/usr/bin/node' })).toEqual([])
})
