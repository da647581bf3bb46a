/** What one round does, drawn before it begins. */
export interface Round {
  readonly variant: number
  /** Shares of requests that go wrong. */
  readonly s3: number
  readonly qdrant: number
  readonly throughFiles: boolean
  /** The bits do not depend on them. */
  readonly threads: number
  readonly checkpoint: boolean
  /** After so many milliseconds, that signal. */
  readonly signal?: { readonly name: NodeJS.Signals; readonly after: number }
  /** The disk below one of the folders is full after so many bytes. */
  readonly disk?: { readonly folder: 'model' | 'checkpoint' | 'work'; readonly bytes: number }
  readonly clock?: { readonly after: number; readonly step: number }
  /** A second run begins so many milliseconds after the first. */
  readonly second?: { readonly after: number; readonly variant: number }
  /** Qdrant is killed after so many milliseconds, and is back so many later. */
  readonly outage?: { readonly after: number; readonly length: number }
}

/**
 * Draws a round. `typical` is how long a run takes in peace, in milliseconds: signals, outages and second runs come at
 * any time of it.
 */
export function drawRound(random: () => number, typical: number): Round {
  const chance = (share: number) => random() < share
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]
  const moment = (share = 1.1) => Math.round(random() * typical * share)
  return {
    variant: pick([0, 1]),
    s3: pick([0, 0.05, 0.2]),
    qdrant: pick([0, 0.02, 0.1]),
    throughFiles: chance(0.3),
    threads: pick([1, 1, 1, 2]),
    checkpoint: chance(0.8),
    ...(chance(0.5) && {
      signal: { name: pick(['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'] as const), after: moment() },
    }),
    ...(chance(0.2) && {
      disk: { folder: pick(['model', 'checkpoint', 'work'] as const), bytes: Math.round(2 ** (4 + 14 * random())) },
    }),
    ...(chance(0.15) && { clock: { after: moment(), step: pick([-7200e3, -60e3, 60e3, 7200e3]) } }),
    ...(chance(0.2) && { second: { after: moment(), variant: pick([0, 1]) } }),
    ...(chance(0.2) && { outage: { after: moment(), length: 200 + Math.round(random() * 3000) } }),
  }
}

/** Nothing goes wrong. */
export function peaceful(variant: number): Round {
  return { variant, s3: 0, qdrant: 0, throughFiles: false, threads: 1, checkpoint: true }
}
