import type { Confidence } from '@seesaw/loader'
import type { Random } from './random.ts'

/** How a source weighs its rows: the option, and the same in SQL. */
export interface ConfidenceCase {
  readonly option: Confidence
  readonly column?: ValueColumn
  /** SQL of the confidence of a row as a FLOAT, null where it has none, of the column as it is read. */
  readonly read: (column: string) => string
  /** False where SQL and JavaScript may differ in the last bit of single precision. */
  readonly exact: boolean
}

/** A column beside the ids. */
export interface ValueColumn {
  readonly name: string
  readonly type: string
  /** SQL of its value, of a uniform number in [0, 1). */
  readonly write: (uniform: string) => string
}

const CONFIDENCES = [0.1, 0.25, 1, 1.5, 2, 3, 5, 7.7, 40]

export function randomConfidence(random: Random, name: string): ConfidenceCase {
  const kind = random.pick(['constant', 'table', 'table', 'linear', 'log1p'])
  if (kind === 'constant') {
    const option = random.pick(CONFIDENCES)
    return { option, read: () => `${option}::FLOAT`, exact: true }
  }
  return kind === 'table' ? table(random, name) : weight(random, name, kind as 'linear' | 'log1p')
}

function table(random: Random, name: string): ConfidenceCase {
  const [type, values] = random.pick<[string, (number | string | boolean)[]]>([
    ['TINYINT', [1, 2, 3, 4, 5]],
    ['INTEGER', [1, 2, 3, 4, 5]],
    ['INTEGER', [-1, 0, 255, 256, 1000]],
    ['UBIGINT', [1, 2, 3, 2 ** 40]],
    ['BIGINT', [-3, 0, 1, 2 ** 40]],
    ['FLOAT', [0.5, 1.2, 3.7, 4.2, 5]],
    ['DOUBLE', [0.5, 1.2, 3.7, 4.2, 5]],
    ['DECIMAL(3,1)', [0.5, 1.2, 3.7, 4.2, 5]],
    ['DECIMAL(18,6)', [0.5, 1.2, 3.7, -4.2, 5]],
    ['DECIMAL(38,1)', [0.5, 1.2, 3.7, 4.2, 5]],
    ['BOOLEAN', [true, false]],
    ['VARCHAR', ['view', 'cart', 'buy', 'naïve', '5', "it's", '']],
    ['VARCHAR', ['1', '2', '3.5']],
    ["ENUM('view','cart','buy')", ['view', 'cart', 'buy']],
  ])
  const chosen = random.some(values, 0.6).map((value) => [value, random.pick(CONFIDENCES)] as const)
  const literal = (value: unknown) => `${quoted(String(value))}::${type}`
  const option = random.chance(0.5) ? new Map(chosen) : Object.fromEntries(chosen.map(([k, v]) => [String(k), v]))
  const cases = chosen.map(([value, confidence]) => `WHEN ${literal(value)} THEN ${confidence}::FLOAT`)
  return {
    option: { column: name, values: option },
    column: { name, type, write: (uniform) => pickOne(values.map(literal), uniform) },
    read: (column) => `CASE ${column} ${cases.join(' ')} END`,
    exact: true,
  }
}

function weight(random: Random, name: string, scale: 'linear' | 'log1p'): ConfidenceCase {
  const type = random.pick([
    ...['UTINYINT', 'INTEGER', 'BIGINT', 'UBIGINT', 'FLOAT', 'DOUBLE', 'BOOLEAN'],
    ...['DECIMAL(4,2)', 'DECIMAL(9,2)', 'DECIMAL(18,4)', 'DECIMAL(38,6)'],
  ])
  const unsigned = type.startsWith('U')
  const broken = type === 'FLOAT' || type === 'DOUBLE' ? ["'nan'", "'inf'", "'-inf'"] : []
  const values =
    type === 'BOOLEAN'
      ? ['true', 'false']
      : ['0', '1', '2', '3.75', '12.5', '99', ...(unsigned ? [] : ['-2.5']), ...broken]
  const factor = random.pick([1, 0.5, 3, 40])
  const offset = random.pick([0, 0, 1, 2.5])
  const x = (column: string) => (type === 'BOOLEAN' ? `(${column})::INTEGER::DOUBLE` : `(${column})::DOUBLE`)
  const scaled = (column: string) =>
    scale === 'linear' ? x(column) : `CASE WHEN ${x(column)} > -1 THEN ln(1 + ${x(column)}) END`
  return {
    option: { column: name, weight: scale, factor, offset },
    column: {
      name,
      type,
      write: (uniform) =>
        pickOne(
          values.map((value) => `${value}::${type}`),
          uniform,
        ),
    },
    read: (column) => {
      const value = `(${offset}::DOUBLE + ${factor}::DOUBLE * (${scaled(column)}))::FLOAT`
      return `CASE WHEN isfinite(${value}) AND ${value} > 0 THEN ${value} END`
    },
    exact: scale === 'linear',
  }
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function pickOne(values: readonly string[], uniform: string): string {
  return `([${values.join(', ')}])[1 + floor(${values.length} * ${uniform})::INTEGER]`
}

/** When rows happened: the column, and how it is read as nanoseconds since 1970. */
export interface TimeCase {
  readonly column: ValueColumn
  readonly unit?: 's' | 'ms' | 'us' | 'ns'
  /** SQL of a HUGEINT, of a column of the type that a reader finds. */
  readonly read: (type: string, column: string) => string
}

const BASE = 1_600_000_000_000
/** Milliseconds between the first and the last moment. */
export const SPAN = 1_000_000
export const FIRST: number = BASE

/** `fine`: moments that differ by less than a microsecond; they tie when the latest of several signals is asked for. */
export function randomTime(random: Random, name: string, fine: boolean): TimeCase {
  const [type, perMs, unit] = random.pick<[type: string, perMs: number, unit: TimeCase['unit']]>([
    ['DATE', 1 / 86_400_000, undefined],
    ['TIMESTAMP_S', 1e-3, undefined],
    ['TIMESTAMP_MS', 1, undefined],
    ['TIMESTAMP', 1e3, undefined],
    ['TIMESTAMPTZ', 1e3, undefined],
    ['TIMESTAMP_NS', 1e6, undefined],
    ['INTEGER', 1e-3, 's'],
    ['UINTEGER', 1e-3, 's'],
    ['DOUBLE', 1e-3, 's'],
    ['DECIMAL(18,0)', 1, 'ms'],
    ['BIGINT', 1e-3, 's'],
    ['BIGINT', 1, 'ms'],
    ['BIGINT', 1e3, 'us'],
    ['BIGINT', 1e6, 'ns'],
  ])
  const read = (found: string, column: string) => {
    if (unit !== undefined) return `${column}::HUGEINT * ${1e6 / perMs}`
    if (found === 'TIMESTAMP_NS') return `epoch_ns(${column})::HUGEINT`
    const moment = found === 'TIMESTAMP WITH TIME ZONE' || found === 'TIMESTAMP' ? column : `${column}::TIMESTAMP`
    return `epoch_us(${moment})::HUGEINT * 1000`
  }
  const step = perMs < 1e-6 ? 86_400_000 : perMs < 1 ? 1000 : 1
  const write = (uniform: string) => {
    // Whole milliseconds mostly, so that many moments are those where a window begins or ends; then one unit before or after.
    const ms = `(${BASE} + ${step} * floor(${SPAN / 1000} * ${step === 86_400_000 ? 0.01 : 1} * ${uniform}))::BIGINT`
    const small = perMs <= 1 ? '0' : `(floor(3000000 * ${uniform})::BIGINT % 3 - 1)`
    const ns = `(${ms} * 1000000 + ${small} * ${fine || perMs === 1e3 ? 1e6 / perMs : 1000})`
    if (type === 'DATE') return `make_timestamp_ns(${ns})::DATE`
    if (type === 'TIMESTAMPTZ') return `make_timestamp(${ns} // 1000)::TIMESTAMPTZ`
    if (type === 'TIMESTAMP_NS') return `make_timestamp_ns(${ns})`
    if (type.startsWith('TIMESTAMP')) return `make_timestamp(${ns} // 1000)::${type}`
    return `(${ns} // ${1e6 / perMs})::${type}`
  }
  return { column: { name, type, write }, unit, read }
}
