import {
  type CatalogueOptions,
  type LoadedInteractions,
  type LoadOptions,
  loadInteractions,
  readItems,
} from '@seesaw/loader'
import type { Configuration } from '../configuration/schema.ts'
import { bytes, compact, grouped } from '../text/format.ts'
import { ItemStore } from './item-store.ts'
import type { Progress } from './progress.ts'
import type { Stages } from './stages.ts'

/** Names of the loader's phases on the screen. */
const phases = {
  plan: 'plan',
  count: 'pass 1: count',
  scatter: 'pass 2: place',
  merge: 'merge',
  transpose: 'transpose',
} as const

/** The two passes over the sources, `within` what the process may hold and where it may write. */
export async function load(
  configuration: Configuration,
  within: Pick<LoadOptions, 'memoryBudget' | 'temporaryDirectory'>,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<LoadedInteractions> {
  const options = { ...loadOptions(configuration, signal), ...within }
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

/** Metadata of the items of the matrix, where there is a catalogue; ids and counts alone without it. */
export async function collectItems(
  configuration: Configuration,
  directory: string,
  { itemIds, interactionCounts }: Pick<LoadedInteractions, 'itemIds' | 'interactionCounts'>,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<ItemStore> {
  const { name, uri, payload, catalogue } = configuration.items
  const evidence = catalogue === 'all' ? 'trained' : undefined
  const store = new ItemStore({ ids: itemIds, counts: interactionCounts, payload, evidence, directory })
  if (uri === undefined) return store
  const read = async () => {
    const rows = readItems({ ...itemsSource(configuration), ids: itemIds, threads: configuration.threads, signal })
    for await (const row of rows) {
      store.add(row)
      if (store.known % 1024 === 0) {
        progress.update({ phase: 'metadata', done: store.known, total: itemIds.length, unit: name })
      }
    }
    store.flush()
    return store.known
  }
  try {
    await stages.run(name, read, (known) => `metadata of ${grouped(known)} of ${grouped(itemIds.length)} ${name}`)
    return store
  } catch (error) {
    store.close()
    throw error
  }
}

/** The catalogue and its columns as the loader takes them. A column that a file does not have is null there. */
export function itemsSource({ items, s3 }: Configuration): CatalogueOptions {
  const { uri, id, payload, features } = items
  const columns = [...new Set([...Object.keys(payload), ...features])]
  return { source: uri!, id, columns, absentColumns: 'null', s3: s3Options(s3) }
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

/** The sources as the loader takes them. */
export function loadOptions(configuration: Configuration, signal: AbortSignal): LoadOptions {
  const { sources, thresholds, items, merge, seed, threads, s3 } = configuration
  return {
    sources,
    thresholds,
    rareItems: items.catalogue === 'all',
    merge,
    seed,
    threads,
    s3: s3Options(s3),
    signal,
  }
}

/** Keys, region and the rest come from the SDK's own chain: AWS_* variables, profiles, instance roles. */
function s3Options({ endpoint }: Configuration['s3']): LoadOptions['s3'] {
  return endpoint ? { endpoint } : undefined
}
