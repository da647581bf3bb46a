import { type LoadedInteractions, type LoadOptions, loadInteractions, planLoad, readItems } from '@seesaw/loader'
import type { Configuration } from './configuration.ts'
import { bytes, compact, grouped } from './format.ts'
import type { Progress } from './progress.ts'
import { ReleaseStore, releaseColumns } from './release-store.ts'
import type { Stages } from './stages.ts'

/** Names of the loader's phases on the screen. */
const phases = {
  plan: 'plan',
  count: 'pass 1: count',
  scatter: 'pass 2: place',
  merge: 'merge',
  transpose: 'transpose',
} as const

/** Plans the load, says what it will take, and carries it out. */
export async function load(
  configuration: Configuration,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<LoadedInteractions> {
  const options = loadOptions(configuration, signal)
  await stages.run(
    'plan',
    () => planLoad(options),
    (plan) =>
      `${grouped(plan.rows)} rows in ${grouped(plan.files)} files, ${bytes(plan.bytes)} to read in each of two passes, ${bytes(plan.memory.total)} of memory for a load`,
  )
  return stages.run(
    'load',
    () =>
      loadInteractions({
        ...options,
        onProgress: ({ phase, rows, totalRows, bytesPerSecond, retries }) =>
          progress.update({
            phase: phases[phase],
            done: rows,
            total: totalRows,
            unit: 'rows',
            note: [bytesPerSecond > 0 && `${bytes(bytesPerSecond)}/s`, retries > 0 && `${retries} retries`]
              .filter(Boolean)
              .join(', '),
          }),
      }),
    ({ stats }) =>
      `${grouped(stats.users.active)} users × ${grouped(stats.items.active)} items, ${grouped(stats.entries)} entries`,
  )
}

/** Metadata of the items of the matrix, from RELEASES; ids and counts alone without it. */
export async function collectReleases(
  configuration: Configuration,
  { itemIds, interactionCounts }: LoadedInteractions,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<ReleaseStore> {
  const store = new ReleaseStore(itemIds, interactionCounts)
  const { RELEASES: source, THREADS: threads } = configuration
  if (!source) return store
  const read = async () => {
    const rows = readItems({
      source,
      ids: itemIds,
      columns: releaseColumns,
      s3: s3Options(configuration),
      threads,
      signal,
    })
    for await (const row of rows) {
      store.add(row)
      if (store.known % 1024 === 0) {
        progress.update({ phase: 'metadata', done: store.known, total: itemIds.length, unit: 'releases' })
      }
    }
    return store.known
  }
  await stages.run('releases', read, (known) => `metadata of ${grouped(known)} of ${grouped(itemIds.length)} releases`)
  return store
}

/** What became of the rows of each source. */
export function describeSources({ stats }: LoadedInteractions): Record<string, string | number>[] {
  const rows = stats.sources.map((source) => ({
    source: source.name,
    files: grouped(source.files),
    'rows read': grouped(source.rows),
    'not sampled': grouped(source.notSampled),
    'no confidence': grouped(source.withoutConfidence),
    'bad ids': grouped(source.nullIds + source.negativeIds),
    'rare user': grouped(source.inactiveUser),
    'rare item': grouped(source.inactiveItem),
    used: grouped(source.used),
  }))
  return rows
}

/** The size of what was loaded, in a line. */
export function describeMatrix({ stats, matrix }: LoadedInteractions): string {
  const density = (100 * matrix.entries) / (matrix.users * matrix.items)
  return [
    `${grouped(stats.users.active)} of ${grouped(stats.users.seen)} users`,
    `${grouped(stats.items.active)} of ${grouped(stats.items.seen)} items`,
    `${grouped(stats.entries)} entries (${density.toPrecision(2)} % of all pairs)`,
    `${compact(stats.merged)} signals merged into a stronger one`,
  ].join(', ')
}

function loadOptions(configuration: Configuration, signal: AbortSignal): LoadOptions {
  const { HAVES, WANTS, RATINGS } = configuration
  // Owning counts most, then a good rating, then wanting. Several signals for one pair: the largest counts.
  const sources = [
    { name: 'haves', uri: HAVES, confidence: 3, sample: configuration.SAMPLE_FRAC_HAVES },
    { name: 'wants', uri: WANTS, confidence: 1.5, sample: configuration.SAMPLE_FRAC_WANTS },
    {
      name: 'ratings',
      uri: RATINGS,
      // 1 and 2 stars are left out.
      confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } },
      sample: configuration.SAMPLE_FRAC_RATINGS,
    },
  ]
  return {
    sources: sources.filter((source) => source.uri !== undefined),
    thresholds: { user: configuration.MIN_USER_INTERACTIONS, item: configuration.MIN_ITEM_INTERACTIONS },
    merge: 'max',
    seed: configuration.SEED,
    threads: configuration.THREADS,
    s3: s3Options(configuration),
    signal,
  }
}

/** Keys, region and the rest come from the SDK's own chain: AWS_* variables, profiles, instance roles. */
function s3Options({ S3_ENDPOINT }: Configuration): LoadOptions['s3'] {
  return S3_ENDPOINT ? { endpoint: S3_ENDPOINT } : undefined
}
