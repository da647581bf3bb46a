/**
 * `npm run bench -- load [--size 20M|100M|1B] [--s3 [--endpoint URL]] [--peers] [--no-duckdb] [--quick]`: Parquet to a sparse matrix and its
 * transpose, beside DuckDB doing the same in SQL (without the transpose) in a process of its own, 2 threads each.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { generateParquet, type ParquetFiles } from '../generate-parquet.ts'
import { serveFromS3 } from '../load/s3.ts'
import { runPeer } from '../peers/python.ts'

interface Outcome {
  seconds: number
  /** Of the whole process, its start included: steadier than the clock on a machine that is shared. */
  cpuSeconds: number
  users: number
  items: number
  entries: number
  confidence: number
  peakRssMb: number
}

interface LoaderOutcome extends Outcome {
  plannedMb: number
  /** Of both passes. */
  passesCpuSeconds: number
  /** By both passes, from storage or from what the first had kept. */
  readBytes: number
  fetchedBytes: number
  phases: Record<'plan' | 'count' | 'scatter' | 'merge' | 'transpose' | 'total', number>
}

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: '20M' },
      s3: { type: 'boolean', default: false },
      endpoint: { type: 'string' },
      peers: { type: 'boolean', default: false },
      duckdb: { type: 'boolean', default: true },
      quick: { type: 'boolean', default: false },
    },
    allowNegative: true,
  })
  const files = await generateParquet(values.quick ? '1M' : values.size)
  console.error(`${files.rows} rows of haves, wants and ratings in ${files.haves.replace(/[^/]*$/, '')}`)

  const fromS3 = values.s3 ? await loadFromS3(files, values.endpoint) : undefined
  const ours = fromS3?.ours ?? (await load(files))
  report('loader', ours, ours)
  console.error(
    `  ${Object.entries(ours.phases)
      .map(([phase, seconds]) => `${phase} ${seconds.toFixed(2)} s`)
      .join(', ')}; planned ${ours.plannedMb.toFixed(0)} MB`,
  )
  const duckdb = values.duckdb ? await child<Outcome>('duckdb.ts', files) : undefined
  if (duckdb !== undefined) report('DuckDB', duckdb, ours)
  for (const peer of values.peers ? ['pandas', 'polars'] : []) {
    report(peer, await runPeer<Outcome>(`${peer}_load.py`, [JSON.stringify(files)], 2), ours)
  }
  return {
    rows: files.rows,
    seconds: round(ours.seconds),
    ratioToDuckdb: duckdb && round(duckdb.seconds / ours.seconds),
    identical: duckdb && same(ours, duckdb),
    peakRssMb: Math.round(ours.peakRssMb),
    plannedMb: Math.round(ours.plannedMb),
    duckdbPeakRssMb: duckdb && Math.round(duckdb.peakRssMb),
    ratioToRawDownload: fromS3 && round(fromS3.ratio),
    fetchedMb: fromS3 && Math.round(ours.fetchedBytes / 1e6),
  }
}

/** Confidences of the three sources; peers/ and duckdb.ts have the same. */
const recordShop = [
  { name: 'haves', item: 'release_id', confidence: 3 },
  { name: 'wants', item: 'release_id', confidence: 1.5 },
  { name: 'ratings', item: 'release_id', confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } } },
] as const

function load(files: ParquetFiles, s3?: unknown): Promise<LoaderOutcome> {
  const sources = recordShop.map((source) => ({ ...source, uri: files[source.name] }))
  return child<LoaderOutcome>('loader.ts', { sources, s3 })
}

/** The load from an S3 server on this machine, between two downloads of the same bytes by the SDK alone, which drops them. */
async function loadFromS3(
  { rows, ...folders }: ParquetFiles,
  endpoint: string | undefined,
): Promise<{ ours: LoaderOutcome; ratio: number }> {
  const server = await serveFromS3(`${rows}`, folders, endpoint)
  try {
    const idle = await server.cpuSeconds()
    const before = await server.download()
    const between = await server.cpuSeconds()
    const ours = await load({ rows, ...server.places }, server.connection)
    const loaded = await server.cpuSeconds()
    const after = await server.download()
    const megabytes = (before.bytes + after.bytes) / 1e6
    const raw = megabytes / (before.seconds + after.seconds)
    const { count, scatter } = ours.phases
    const rate = (seconds: number) =>
      `${(ours.readBytes / 2e6 / seconds).toFixed(0)} MB/s (${(ours.readBytes / 2e6 / seconds / raw).toFixed(2)}x)`
    console.error(
      `raw SDK download ${raw.toFixed(0)} MB/s; pass 1 ${rate(count)}, pass 2 ${rate(scatter)}, both ${rate((count + scatter) / 2)}; ` +
        `${(ours.fetchedBytes / 1e6).toFixed(0)} MB fetched, ${(ours.readBytes / 1e6).toFixed(0)} MB read`,
    )
    const rawCost = (before.cpuSeconds + after.cpuSeconds) / 2
    const rawServed = (between - idle + (await server.cpuSeconds()) - loaded) / 2
    console.error(
      `processors: a raw download ${rawCost.toFixed(2)} s and the server ${rawServed.toFixed(2)} s; ` +
        `both passes ${ours.passesCpuSeconds.toFixed(2)} s and the server ${(loaded - between).toFixed(2)} s`,
    )
    return { ours, ratio: ours.readBytes / 1e6 / (count + scatter) / raw }
  } finally {
    await server.close()
  }
}

async function child<T>(script: string, input: unknown): Promise<T> {
  const path = fileURLToPath(new URL(`../load/${script}`, import.meta.url))
  // The loader as it is installed is JavaScript: what is made of its TypeScript here is kept from one run to the next.
  const env = { ...process.env, NODE_COMPILE_CACHE: fileURLToPath(new URL('../.cache/compiled', import.meta.url)) }
  const { stdout } = await promisify(execFile)(process.execPath, [path, JSON.stringify(input)], { env })
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T
}

function same(a: Outcome, b: Outcome): boolean {
  return (['users', 'items', 'entries', 'confidence'] as const).every((key) => a[key] === b[key])
}

function report(name: string, outcome: Outcome, ours: Outcome): void {
  const { seconds, cpuSeconds, users, items, entries, confidence, peakRssMb } = outcome
  const ratio = (seconds / ours.seconds).toFixed(2)
  const cpuRatio = (cpuSeconds / ours.cpuSeconds).toFixed(2)
  console.error(
    `${name.padEnd(8)} ${seconds.toFixed(2).padStart(7)} s ${ratio}x  ${cpuSeconds.toFixed(2).padStart(7)} s of processors ${cpuRatio}x  ` +
      `${peakRssMb.toFixed(0).padStart(6)} MB peak  ${same(outcome, ours) ? 'identical' : 'DIFFERENT'}: ` +
      `${users} users, ${items} items, ${entries} entries, confidences add up to ${confidence}`,
  )
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
