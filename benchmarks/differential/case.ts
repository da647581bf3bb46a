import type { LoadOptions, Merge } from '@seesaw/loader'
import { type IdSpace, type IdType, randomIds } from './id-types.ts'
import { Random } from './random.ts'
import { type ConfidenceCase, FIRST, randomConfidence, randomTime, SPAN, type TimeCase } from './value-types.ts'

/** One load, and all that its answer depends on: decided by a seed. */
export interface Case {
  readonly seed: number
  readonly users: IdSpace
  readonly items: IdSpace
  readonly sources: readonly SourceCase[]
  readonly thresholds: { readonly user: number; readonly item: number; readonly repeat: boolean }
  readonly merge: Merge
}

export interface SourceCase {
  readonly name: string
  /** The names that the options ask for; `user.id` may be a field of a struct. */
  readonly user: string
  readonly item: string
  readonly confidence: ConfidenceCase
  readonly time?: TimeCase & Pick<NonNullable<LoadOptions['sources'][0]['time']>, 'since' | 'until' | 'halfLifeDays'>
  /** Columns that are hive partitions in place of columns in the files. */
  readonly partitions: readonly string[]
  readonly files: readonly FileCase[]
}

export interface FileCase {
  readonly rows: number
  /** Every id once in each turn, in place of drawn at random. */
  readonly everyId: boolean
  readonly userType: IdType
  readonly itemType: IdType
  /** Fractions of rows. */
  readonly nulls: number
  readonly negatives: number
  readonly writer: Writer
  /** SQL of an id that no load may take, in the last row: the refusal is the answer. */
  readonly broken?: string
  /** Decides the rows. */
  readonly salt: number
}

/** How a file is written. */
export interface Writer {
  readonly program: 'duckdb' | 'pyarrow' | 'polars'
  readonly codec: string
  readonly rowGroup: number
  readonly version: 'V1' | 'V2'
  readonly dictionary: boolean
  /** Columns that nobody asks for, and the order of all. */
  readonly others: readonly string[]
  readonly order: number
  readonly upperCase: boolean
  /** For pyarrow and polars: what else they vary. */
  readonly variant: number
}

// Letters beyond ASCII, dots, quotes.
const NAMES = ['user_id', 'zähler', 'user id', 'user.id', 'a"b', 'item_id']
// Around the rows of a chunk (4,096) and of a batch of the decoder (65,536).
const ROWS = [0, 1, 7, 500, 2047, 2048, 2049, 4095, 4096, 4097, 5000, 9000, 12_289, 20_000]
const MANY_ROWS = [65_535, 65_536, 65_537]
const CODECS = ['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw']
const OTHERS = ['list', 'struct', 'map', 'null', 'text', 'prefix']

/** Ids that a number cannot hold, and numbers that are none, by type. */
const BROKEN: Readonly<Record<string, readonly string[]>> = {
  BIGINT: ['9007199254740992', '9223372036854775807'],
  UBIGINT: ['9007199254740992', '9223372036854775808', '18446744073709551615'],
  'DECIMAL(18,0)': ['9007199254740992'],
  'DECIMAL(38,0)': ['9007199254740992', '18446744073709551616', '99999999999999999999999999999999999999'],
  DOUBLE: ['9007199254740992', '1.5', '1e300', "'inf'"],
}

export function randomCase(seed: number, programs: readonly Writer['program'][]): Case {
  const random = new Random(seed)
  const users = randomIds(random)
  const items = randomIds(random)
  const merge = random.pick<Merge>(['max', 'max', 'sum', 'last'])
  const count = random.pick([1, 1, 2, 3])
  const sources = Array.from({ length: count }, (_, s) =>
    randomSource(random, `source ${s}`, { users, items }, merge, programs),
  )
  const rows = sources.flatMap(({ files }) => files).reduce((sum, file) => sum + file.rows, 0)
  // About as many rows as an id has, so that about half of them are active.
  const threshold = (ids: IdSpace) =>
    random.pick([1, 1, 2, 3, Math.max(1, Math.floor(rows / ids.count)), Math.max(1, Math.floor(rows / ids.count) + 1)])
  const thresholds = { user: threshold(users), item: threshold(items), repeat: random.chance(0.15) }
  return { seed, users, items, sources, thresholds, merge }
}

function randomSource(
  random: Random,
  name: string,
  { users, items }: { users: IdSpace; items: IdSpace },
  merge: Merge,
  programs: readonly Writer['program'][],
): SourceCase {
  const [user, item] = random.shuffle(NAMES)
  const time = merge === 'last' || random.chance(0.4) ? randomWindow(random, merge !== 'last') : undefined
  const confidence = randomConfidence(random, random.pick(['rating', 'Ævent', 'value.of']))
  const program = random.pick(programs)
  // What can be the name of a folder, and is read back from it as it was.
  const asFolder = [
    /^VARCHAR|^ENUM|INT$|^INTEGER$/.test(confidence.column?.type ?? '') ? confidence.column?.name : undefined,
    time?.column.type === 'DATE' ? time.column.name : undefined,
  ].filter((column): column is string => column !== undefined && /^\w+$/.test(column))
  // DuckDB does not decode the names of such columns.
  const partitions = program === 'duckdb' ? asFolder.filter(() => random.chance(0.3)) : []
  const files = Array.from({ length: random.pick([1, 1, 2, 3]) }, (): FileCase => {
    // polars makes any bytes of UUIDs.
    const typeOf = ({ types }: IdSpace) =>
      random.pick(types.filter(({ name }) => program !== 'polars' || name !== 'UUID'))
    const userType = typeOf(users)
    const itemType = typeOf(items)
    const rows = random.chance(0.02) ? random.pick(MANY_ROWS) : random.pick(ROWS)
    return {
      rows,
      everyId: random.chance(0.4),
      userType,
      itemType,
      nulls: random.pick([0, 0, 0.01, 0.3, 1]) * (random.chance(0.1) ? 1 : 0.3),
      negatives: random.pick([0, 0, 0.05]),
      writer: {
        program,
        // DuckDB takes seconds to compress 20,000 rows with brotli.
        codec: rows < 1000 && random.chance(0.2) ? 'brotli' : random.pick(CODECS),
        rowGroup: random.pick([2048, 4096, 10_240, 122_880]),
        version: random.pick(['V1', 'V2']),
        dictionary: random.chance(0.7),
        others: random.some(OTHERS, 0.3),
        order: random.int(0, 1e6),
        // Names of folders are taken as they are.
        upperCase: partitions.length === 0 && random.chance(0.1),
        variant: random.int(0, 2 ** 30),
      },
      broken: rows > 0 && random.chance(0.03) ? random.pick(BROKEN[userType.name] ?? [undefined]) : undefined,
      salt: random.int(1, 2 ** 30),
    }
  })
  return { name, user, item, confidence, time, partitions, files }
}

function randomWindow(random: Random, fine: boolean): SourceCase['time'] {
  const time = randomTime(random, random.pick(['at', 'Zeit.punkt']), fine)
  const moment = (low: number, high: number) => new Date(FIRST + random.pick([1, 1000]) * random.int(low, high))
  return {
    ...time,
    since: random.chance(0.4) ? moment(-10, SPAN / 2000) : undefined,
    until: random.chance(0.4) ? moment(SPAN / 2000, SPAN / 1000) : undefined,
    halfLifeDays: random.chance(0.3) ? random.pick([0.001, 0.5, 30]) : undefined,
  }
}
