import { LoadError } from '../errors.ts'
import type { FixedValues, SourceTask } from '../rows/source-task.ts'

/** The values that all rows of a file have, from the partitions in its path that stand for columns of the source. */
export function fixedValues(
  { name, confidence, time }: SourceTask,
  uri: string,
  partitions: ReadonlyMap<string, string | null>,
): FixedValues {
  const fixed: { code?: number; number?: number; time?: number } = {}
  if (confidence.way !== 'constant') {
    const text = partitions.get(confidence.column)
    if (text === undefined) {
      // A column of the file.
    } else if (confidence.way === 'table') {
      fixed.code = confidence.codes.get(text ?? Number.NaN) ?? confidence.codes.get(numberOf(text)) ?? -1
    } else fixed.number = numberOf(text)
  }
  if (time !== undefined && partitions.has(time.column)) {
    const text = partitions.get(time.column)!
    fixed.time = text === null ? Number.NaN : momentOf(text, time.perMillisecond)
    if (text !== null && Number.isNaN(fixed.time)) {
      throw new LoadError(
        'schema',
        `${uri}: partition "${time.column}=${text}" of source "${name}" is no time. Expected a date (2026-01-31), a time ` +
          '(2026-01-31T08:00:00, in UTC where it says no zone), or a number and the option time.unit.',
        { file: uri, column: time.column },
      )
    }
  }
  return fixed
}

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/

function momentOf(text: string, perMillisecond: number | undefined): number {
  const iso = ISO.exec(text)
  if (iso !== null) return Date.parse(`${iso[1]}T${iso[2] ?? '00:00'}${iso[3] ?? 'Z'}`)
  return perMillisecond === undefined ? Number.NaN : numberOf(text) / perMillisecond
}

/** NaN for what is no number, the empty text too. */
function numberOf(text: string | null): number {
  return text === null || text.trim() === '' ? Number.NaN : Number(text)
}
