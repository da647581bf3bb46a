import type { IdKind } from '../ids/keys.ts'
import type { ConfidenceTable, ResolvedOptions, ResolvedSource, TimeOptions } from '../options.ts'
import type { ConfidenceTask, SourceTask, TimeTask } from '../rows/source-task.ts'

/** The sources as workers get them, and the confidences that can occur. */
export interface CompiledSources {
  readonly tasks: readonly SourceTask[]
  /** Ascending, so that the larger code is the larger confidence. */
  readonly codebook: Float32Array<SharedArrayBuffer>
  /** True when every merged value is in the codebook: entries are then one-byte codes from the first row on. */
  readonly coded: boolean
}

export function compileSources(options: ResolvedOptions, kinds: { user: IdKind; item: IdKind }): CompiledSources {
  const { sources, merge } = options
  const constants = [...new Set(sources.flatMap(({ confidence }) => constantsOf(confidence)).map(Math.fround))]
  const codebook = new Float32Array(new SharedArrayBuffer(4 * constants.length))
  codebook.set(constants.sort((a, b) => a - b))
  const fits = constants.length <= 255
  const weighted = sources.some(
    ({ confidence, time }) =>
      (typeof confidence !== 'number' && 'weight' in confidence) || time?.halfLifeDays !== undefined,
  )
  return {
    tasks: sources.map((source) => compile(source, options, kinds, constants)),
    codebook,
    coded: fits && !weighted && merge !== 'sum',
  }
}

function constantsOf(confidence: ResolvedSource['confidence']): number[] {
  if (typeof confidence === 'number') return [confidence]
  return 'values' in confidence ? tableOf(confidence.values).map(([, value]) => value) : []
}

/** The pairs of a table of confidences; booleans as the words that an object would have as keys. */
export function tableOf(values: ConfidenceTable): [string | number, number][] {
  if (!(values instanceof Map)) return Object.entries(values as Record<string, number>)
  return [...values].map(([key, value]) => [typeof key === 'boolean' ? String(key) : key, value])
}

function compile(
  source: ResolvedSource,
  { seed, sampleBy, invalidIds }: ResolvedOptions,
  kinds: { user: IdKind; item: IdKind },
  codebook: readonly number[],
): SourceTask {
  return {
    name: source.name,
    user: source.user,
    item: source.item,
    userKind: kinds.user,
    itemKind: kinds.item,
    confidence: compileConfidence(source.confidence, codebook),
    time: source.time && compileTime(source.time),
    sample: { by: sampleBy, below: Math.round(source.sample * 2 ** 32), seed },
    nulls: invalidIds.null,
    negatives: invalidIds.negative,
    seed,
  }
}

function compileConfidence(confidence: ResolvedSource['confidence'], codebook: readonly number[]): ConfidenceTask {
  const codeOf = (value: number) => codebook.indexOf(Math.fround(value))
  if (typeof confidence === 'number') return { way: 'constant', code: codeOf(confidence) }
  if ('weight' in confidence) {
    const { column, weight, factor = 1, offset = 0 } = confidence
    return { way: 'weight', column, scale: weight, factor, offset }
  }
  const codes = new Map<string | number, number>()
  for (const [key, value] of tableOf(confidence.values)) {
    // Keys of an object are strings; the column may hold numbers.
    codes.set(key, codeOf(value))
    if (typeof key === 'string' && key.trim() !== '' && !Number.isNaN(Number(key)))
      codes.set(Number(key), codeOf(value))
  }
  return { way: 'table', column: confidence.column, codes }
}

/** Units in a millisecond. */
const UNITS = { s: 1e-3, ms: 1, us: 1e3, ns: 1e6 } as const

function compileTime({ column, unit, since, until, halfLifeDays, reference }: TimeOptions): TimeTask {
  return {
    column,
    perMillisecond: unit && UNITS[unit],
    since: since?.getTime() ?? Number.NEGATIVE_INFINITY,
    until: until?.getTime() ?? Number.POSITIVE_INFINITY,
    halfLife: halfLifeDays === undefined ? Number.POSITIVE_INFINITY : halfLifeDays * 86400000,
    reference: (reference ?? until)?.getTime() ?? 0,
  }
}
