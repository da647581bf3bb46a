/** What a model was measured to be, kept on disk: a run in pieces, or after one that was cut off, measures only the rest. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Evaluation } from '@seesaw/als-core'

export interface Measurement {
  evaluation: Evaluation
  /** Of the training. */
  seconds?: number
  /** Of the process, after training and evaluation. */
  peakRssMb?: number
}

const folder = new URL('../.cache/', import.meta.url)
const file = new URL('quality-measurements.jsonl', folder)

/** The measurement that was kept under this key; else makes and keeps it. With `fresh` always makes it. */
export async function measured(
  key: Record<string, unknown>,
  fresh: boolean,
  measure: () => Promise<Measurement>,
): Promise<Measurement> {
  const kept = fresh
    ? undefined
    : readAll().findLast((line) => isDeepStrictEqual(line.key, JSON.parse(JSON.stringify(key))))
  if (kept) console.error(`Kept from an earlier run: ${JSON.stringify(key)}`)
  const measurement = kept?.measurement ?? (await measure())
  if (!kept) {
    mkdirSync(folder, { recursive: true })
    appendFileSync(file, `${JSON.stringify({ key, measurement })}\n`)
  }
  return measurement
}

function readAll(): { key: unknown; measurement: Measurement }[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
