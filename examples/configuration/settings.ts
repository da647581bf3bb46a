import type { SeesawConfig } from './schema.ts'

/** A place in a configuration, as zod names it. */
export type Path = readonly (string | number)[]

/** An environment variable and what it sets. */
export interface Setting {
  readonly variable: string
  readonly path: Path
  readonly meaning: string
  /** The value that a text stands for. Default: the text. */
  readonly parse?: (text: string) => unknown
  /** How a person reads the value. Default: as it is. */
  readonly print?: (value: unknown) => string
  readonly group: string
}

/** The environment variables of a configuration: its sources name some of them, the others are always there. */
export function settingsOf({ sources, items = {} }: SeesawConfig): Setting[] {
  const places: Setting[] = sources.map(({ name }, index) => ({
    variable: capitals(name),
    path: ['sources', index, 'uri'],
    meaning: `where the ${name} are: s3://bucket/prefix/, a folder, a file or a glob`,
    group: 'Data',
  }))
  const catalogue = items.name ?? 'items'
  const samples: Setting[] = sources.map(({ name }, index) => ({
    variable: `SAMPLE_FRAC_${capitals(name)}`,
    path: ['sources', index, 'sample'],
    parse: toNumber,
    meaning: `fraction of the users whose ${name} are taken`,
    group: 'Data',
  }))
  return [
    ...places,
    {
      variable: capitals(catalogue),
      path: ['items', 'uri'],
      meaning: `where the metadata of the ${catalogue} are, for payloads`,
      group: 'Data',
    },
    {
      variable: 'FEATURES',
      path: ['items', 'features'],
      parse: toNames,
      print: (value) => (value as string[]).join(',') || 'none',
      meaning: `columns of the ${catalogue} to learn from too, as artists,labels,styles; 'none' for none`,
      group: 'Data',
    },
    {
      variable: 'CATALOGUE',
      path: ['items', 'catalogue'],
      meaning: `what is published: 'trained', what the model was trained on, or 'all' ${catalogue}, also those that few or nobody have`,
      group: 'Data',
    },
    ...samples,
    ...fixed,
  ]
}

const fixed: readonly Setting[] = [
  {
    variable: 'S3_ENDPOINT',
    path: ['s3', 'endpoint'],
    meaning: 'an S3-compatible store; region and keys come from the AWS_* variables',
    group: 'Data',
  },
  {
    variable: 'MIN_USER_INTERACTIONS',
    path: ['thresholds', 'user'],
    parse: toNumber,
    meaning: 'rows that a user needs, over all sources',
    group: 'Data',
  },
  {
    variable: 'MIN_ITEM_INTERACTIONS',
    path: ['thresholds', 'item'],
    parse: toNumber,
    meaning: 'rows that an item needs, over all sources',
    group: 'Data',
  },
  {
    variable: 'VECTOR_DIM',
    path: ['training', 'factors'],
    parse: toNumber,
    meaning: 'factors: the length of a vector',
    group: 'Training',
  },
  {
    variable: 'ITERATIONS',
    path: ['training', 'iterations'],
    parse: toNumber,
    meaning: 'iterations of alternating least squares',
    group: 'Training',
  },
  {
    variable: 'REGULARIZATION',
    path: ['training', 'regularization'],
    parse: toNumber,
    meaning: 'L2 penalty',
    group: 'Training',
  },
  {
    variable: 'REGULARIZATION_SCALING',
    path: ['training', 'regularizationScaling'],
    parse: toScaling,
    meaning: "'none', 'count' (times the entries of a row), or an exponent ν from 0 to 1",
    group: 'Training',
  },
  {
    variable: 'OBJECTIVE',
    path: ['training', 'objective'],
    meaning: "'hkv' (Hu, Koren, Volinsky 2008) or 'ials' (Rendle et al. 2022)",
    group: 'Training',
  },
  {
    variable: 'ALPHA',
    path: ['training', 'alpha'],
    parse: toNumber,
    meaning: 'the confidence of an entry is ALPHA times its weight',
    group: 'Training',
  },
  {
    variable: 'UNOBSERVED_WEIGHT',
    path: ['training', 'unobservedWeight'],
    parse: toNumber,
    meaning: 'weight of a pair as unobserved, with OBJECTIVE=ials',
    group: 'Training',
  },
  {
    variable: 'POPULARITY_EXPONENT',
    path: ['training', 'popularityExponent'],
    parse: toNumber,
    meaning: 'from 0 to 1: weighs entries less whose item many users have; 0.25 is worth trying',
    group: 'Training',
  },
  {
    variable: 'FEATURE_REGULARIZATION',
    path: ['training', 'featureRegularization'],
    parse: toNumber,
    meaning: 'penalty on what features predict; the default weighs a feature as one item of the training',
    group: 'Training',
  },
  {
    variable: 'HOLD_OUT',
    path: ['holdOut'],
    parse: toNumber,
    meaning: 'fraction of the entries to measure Recall@20 and NDCG@20 with instead of training on them',
    group: 'Training',
  },
  {
    variable: 'TUNE',
    path: ['tune'],
    parse: toBoolean,
    meaning: "'true' finds the options of the training above, all but VECTOR_DIM, in the time of 15 to 20 trainings",
    group: 'Training',
  },
  {
    variable: 'TUNE_JOURNAL',
    path: ['output', 'tuneJournal'],
    meaning: 'what TUNE has tried: a run that was cut off goes on from it, the next night starts with its best',
    group: 'Training',
  },
  {
    variable: 'THREADS',
    path: ['threads'],
    parse: toNumber,
    meaning: 'worker threads; the default is the cores that the process may use',
    group: 'Training',
  },
  {
    variable: 'MEMORY_LIMIT',
    path: ['memory'],
    parse: toBytes,
    print: (value) => `${(Number(value) / 1e9).toPrecision(3)} GB`,
    meaning: "memory that the process may use, as '4GB' or '4Gi'; the default is that of the container or the machine",
    group: 'Training',
  },
  {
    variable: 'SEED',
    path: ['seed'],
    parse: toNumber,
    meaning: 'decides the sample, the start and what is held out',
    group: 'Training',
  },
  {
    variable: 'OUTPUT_DIR',
    path: ['output', 'model'],
    meaning: 'where the model is saved',
    group: 'Output',
  },
  {
    variable: 'CHECKPOINT_DIR',
    path: ['output', 'checkpoint'],
    meaning: 'where training keeps its state: a killed run resumes after its last iteration',
    group: 'Output',
  },
  {
    variable: 'INITIAL_MODEL',
    path: ['output', 'initialModel'],
    meaning: 'an earlier model to start from, such as the one in OUTPUT_DIR',
    group: 'Output',
  },
  {
    variable: 'WORK_DIR',
    path: ['output', 'temporary'],
    meaning: "where temporary files go; the default is the system's folder for them",
    group: 'Output',
  },
  {
    variable: 'REPORT_USERS',
    path: ['report', 'users'],
    parse: toNumber,
    meaning: 'users whose history and list the report shows, drawn by the seed; 0 shows nobody',
    group: 'Output',
  },
  {
    variable: 'QDRANT_URL',
    path: ['qdrant', 'url'],
    meaning: 'where to publish; without it the model is only saved',
    group: 'Qdrant',
  },
  {
    variable: 'QDRANT_API_KEY',
    path: ['qdrant', 'apiKey'],
    meaning: 'the key of that server',
    group: 'Qdrant',
  },
  {
    variable: 'COLLECTION_ALIAS',
    path: ['qdrant', 'alias'],
    meaning: 'the name that queries use',
    group: 'Qdrant',
  },
  {
    variable: 'ALLOW_NEW_SHAPE',
    path: ['qdrant', 'allowNewShape'],
    parse: toBoolean,
    meaning: "'true' publishes though the alias serves other vectors: queries must be ready for it",
    group: 'Qdrant',
  },
  {
    variable: 'VECTORS',
    path: ['qdrant', 'vectors'],
    meaning:
      "'similar' (cosine, for more like this), 'taste' (inner product, for a blend of somebody's items), or 'both'",
    group: 'Qdrant',
  },
  {
    variable: 'PUBLISH_USERS',
    path: ['qdrant', 'users'],
    parse: toBoolean,
    meaning: "'true' publishes the users too, under the alias with _users, swapped in by the same request",
    group: 'Qdrant',
  },
  {
    variable: 'MAX_WORKERS',
    path: ['qdrant', 'concurrency'],
    parse: toNumber,
    meaning: 'upload streams',
    group: 'Qdrant',
  },
  {
    variable: 'BATCH_SIZE',
    path: ['qdrant', 'batchSize'],
    parse: toNumber,
    meaning: 'points per request',
    group: 'Qdrant',
  },
]

/** `wish-list` as `WISH_LIST`. */
function capitals(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}

/** Decimal notation only: '0x10' and ' ' are no numbers here. */
function toNumber(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
}

/** '4GB' is 4·10⁹ bytes, '4Gi' 2³²; without a unit the number is one of bytes. */
function toBytes(text: string): number {
  const [, number, unit] = /^([\d.]+) ?([kmgt]?)(?:b|ib?)?$/i.exec(text) ?? []
  if (number === undefined) return Number.NaN
  return toNumber(number) * (/ib?$/i.test(text) ? 1024 : 1000) ** ' kmgt'.indexOf(unit!.toLowerCase() || ' ')
}

function toBoolean(text: string): unknown {
  return text === 'true' ? true : text === 'false' ? false : text
}

function toNames(text: string): string[] {
  return text === 'none' ? [] : text.split(',').map((name) => name.trim())
}

function toScaling(text: string): unknown {
  return text === 'none' || text === 'count' ? text : { nu: toNumber(text) }
}
