import { LoadError } from '../errors.ts'
import type { ResolvedSource } from '../options.ts'
import type { StoredFile } from '../storage/byte-source.ts'
import type { Store } from '../storage/store.ts'

/** Lists the files of a source, each once, in ascending order. */
export async function findFiles(
  source: Pick<ResolvedSource, 'name' | 'locations' | 'partitions'>,
  store: Store,
  signal?: AbortSignal,
): Promise<StoredFile[]> {
  const byUri = new Map<string, StoredFile>()
  for (const location of source.locations) {
    const found = await store.list(location, signal)
    if (found.length === 0) {
      throw new LoadError(
        'missing',
        `Source "${source.name}": no Parquet file at ${location}. Expected a file, or a folder, prefix or glob with ` +
          '*.parquet files.',
        { file: location },
      )
    }
    for (const file of found) byUri.set(file.uri, file)
  }
  const files = [...byUri.values()].filter((file) => inPartitions(file.uri, source.partitions))
  if (files.length === 0) {
    const wanted = JSON.stringify(source.partitions)
    throw new LoadError(
      'missing',
      `Source "${source.name}": none of ${byUri.size} files lies in the partitions ${wanted}. Partitions are path ` +
        'segments like year=2024.',
      { file: source.locations[0] },
    )
  }
  return files.sort((a, b) => (a.uri < b.uri ? -1 : 1))
}

function inPartitions(uri: string, partitions: Readonly<Record<string, readonly string[]>>): boolean {
  const values = hivePartitions(uri)
  return Object.entries(partitions).every(([key, wanted]) => wanted.includes(values.get(key) ?? ''))
}

/** `.../year=2024/country=DE/part-0.parquet` -> year: 2024, country: DE. Values are percent-encoded in paths. */
export function hivePartitions(uri: string): Map<string, string> {
  const segments = uri.split('/').slice(0, -1)
  const pairs = segments.map((segment) => /^([^=]+)=(.*)$/.exec(segment)).filter((match) => match !== null)
  return new Map(pairs.map(([, key, value]) => [decode(key), decode(value)]))
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
