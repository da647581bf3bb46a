import pMap from 'p-map'
import { LoadError } from '../errors.ts'
import type { ResolvedSource } from '../options.ts'
import type { StoredFile } from '../storage/byte-source.ts'
import type { LeftOut, Listing } from '../storage/listing.ts'
import type { Store } from '../storage/store.ts'

const LISTINGS_IN_FLIGHT = 16

/** Lists the files of a source, each once, in ascending order, and what its locations hold besides. */
export async function findFiles(
  source: Pick<ResolvedSource, 'name' | 'locations' | 'partitions'>,
  store: Store,
  signal?: AbortSignal,
): Promise<Listing> {
  const byUri = new Map<string, StoredFile>()
  const leftOut = new Map<string, LeftOut>()
  const listings = await pMap(source.locations, (location) => store.list(location, signal), {
    concurrency: LISTINGS_IN_FLIGHT,
    signal,
  })
  for (const [i, found] of listings.entries()) {
    if (found.tableLog !== undefined) refuseTableFormat(source.name, source.locations[i], found.tableLog)
    if (found.files.length === 0) throw nothingAt(source.name, source.locations[i], found.leftOut)
    for (const file of found.files) byUri.set(file.uri, file)
    for (const each of found.leftOut) leftOut.set(each.uri, each)
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
  return { files: files.sort((a, b) => (a.uri < b.uri ? -1 : 1)), leftOut: [...leftOut.values()] }
}

const TABLE_FORMATS = [
  { name: 'Delta Lake', sign: /_delta_log/, tool: 'DeltaTable(...).file_uris()' },
  { name: 'Apache Hudi', sign: /\.hoodie/, tool: 'a query of Spark or Trino that writes it as plain Parquet' },
  { name: 'Apache Iceberg', sign: /metadata\.json$/, tool: 'table.scan().plan_files() of pyiceberg' },
]

/** Which files of such a table are current, only its log tells. */
function refuseTableFormat(name: string, location: string, log: string): void {
  const format = TABLE_FORMATS.find(({ sign }) => sign.test(log))!
  throw new LoadError(
    'options',
    `Source "${name}": ${location} is a table of ${format.name} (it holds ${log}), whose folder also keeps files of ` +
      'earlier versions: loaded together they would count rows that were deleted. Give the files of the current version as ' +
      `\`files\`, from ${format.tool}.`,
    { file: location },
  )
}

function nothingAt(name: string, location: string, leftOut: readonly LeftOut[]): LoadError {
  const [first] = leftOut
  const instead =
    first === undefined
      ? 'Nothing else is there either: check the spelling.'
      : `What is there is not read: ${first.uri} (${first.reason})${leftOut.length > 1 ? ` and ${leftOut.length - 1} more` : ''}. ` +
        'A file that is named itself is read whatever its name.'
  return new LoadError(
    'missing',
    `Source "${name}": no Parquet file at ${location}. Expected a file, or a folder, prefix or glob with *.parquet files. ${instead}`,
    { file: location },
  )
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
