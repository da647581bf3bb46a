import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startPeer } from '../peers/python.ts'
import { type Assignment, type Outcome, watch } from './contender.ts'

/** Where memory ran out, and what it had cost until then. */
export interface OutOfMemory extends Pick<Outcome, 'whole' | 'stages'> {
  readonly outOfMemory: string
}

interface Answer extends Omit<Outcome, 'whole' | 'stages' | 'model'> {
  /** In seconds since 1970. */
  readonly stages: readonly { readonly stage: string; readonly began: number; readonly ended?: number }[]
  readonly outOfMemory?: string
}

/** `peers/pipeline.py`, allowed `memory` bytes; publishes under an alias of its own. */
export async function runPython(
  { sources, s3, thresholds, threads, ...assignment }: Assignment,
  memory: number,
): Promise<Outcome | OutOfMemory> {
  const settings = {
    // Its storage takes places without the scheme.
    ...Object.fromEntries(Object.entries(sources).map(([name, uri]) => [name, uri.replace(/^s3:\/\/|\/$/g, '')])),
    ...(s3 && {
      s3: { endpoint: s3.endpoint, key: s3.credentials.accessKeyId, secret: s3.credentials.secretAccessKey },
    }),
    ...{ minUser: thresholds.user, minItem: thresholds.item, alias: 'mission-python', memory, ...assignment },
  }
  const child = await startPeer('pipeline.py', [JSON.stringify(settings)], threads)
  child.stdin!.end()
  const { result, began, end, cost } = await watch(child.pid!, text(child.stdout!))
  const line = result.trimEnd().split('\n').at(-1)
  if (!line) throw new Error('peers/pipeline.py ended without an answer: see what it printed above.')
  const { stages: spans, outOfMemory, ...answer }: Answer = JSON.parse(line)
  const whole = cost(began, end)
  const stages = spans.map(({ stage, began, ended = end / 1000 }) => ({ stage, ...cost(1000 * began, 1000 * ended) }))
  return outOfMemory === undefined
    ? { ...answer, whole, stages, model: join(assignment.output, 'model.npz') }
    : { whole, stages, outOfMemory }
}
