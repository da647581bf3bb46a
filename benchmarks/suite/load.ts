/**
 * `npm run bench -- load [--size 20M|100M|1B] [--s3 [--endpoint URL]] [--peers] [--no-duckdb] [--quick]`: Parquet to a sparse matrix and its
 * transpose, beside DuckDB doing the same in SQL (without the transpose) in a process of its own, 2 threads each.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { generateParquet, type ParquetFiles } from '../generate-parquet.ts'
import { type RawDownload, serveFromS3 } from '../load/s3.ts'
import { runPeer } from '../peers/python.ts'

interface Outcome {
  seconds: number
  /** Of the whole process, its start included: steadier than the clock on a machine that is shared. */
  cpuSeconds?: number
  users: number
  items: number
  entries: number
  confidence: number
  peakRssMb: number
}

interface LoaderOutcome extends Outcome {
  plannedMb: number
  readBytes: number
  phases: Record<string, number>
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
  if (values.s3) return loadFromS3(files, values.endpoint)

  const ours = await loadOnce(files)
  const figures = {
    rows: files.rows,
    seconds: round(ours.seconds),
    cpuSeconds: round(ours.cpuSeconds ?? 0),
    peakRssMb: Math.round(ours.peakRssMb),
    plannedMb: Math.round(ours.plannedMb),
    phases: Object.fromEntries(Object.entries(ours.phases).map(([phase, seconds]) => [phase, round(seconds)])),
    entries: ours.entries,
  }
  report('loader', ours, ours)
  const compared: Record<string, unknown> = {}
  if (values.duckdb) {
    const duckdb = await child<Outcome>('duckdb.ts', files)
    report('DuckDB', duckdb, ours)
    compared.ratioToDuckdb = round(duckdb.seconds / ours.seconds)
    compared.cpuRatioToDuckdb = round((duckdb.cpuSeconds ?? 0) / (ours.cpuSeconds ?? 1))
    compared.identical = same(ours, duckdb)
    compared.duckdbPeakRssMb = Math.round(duckdb.peakRssMb)
  }
  if (values.peers || (files.rows <= 20e6 && !values.quick)) {
    for (const peer of ['pandas', 'polars']) {
      const outcome = await runPeer<Outcome>(`${peer}_load.py`, [JSON.stringify(files)], 2)
      report(peer, outcome, ours)
      compared[`ratioTo${peer === 'pandas' ? 'Pandas' : 'Polars'}`] = round(outcome.seconds / ours.seconds)
      compared[`${peer}PeakRssMb`] = Math.round(outcome.peakRssMb)
      compared.identical = compared.identical !== false && same(ours, outcome)
    }
  }
  return { ...figures, ...compared }
}

function loadOnce(files: ParquetFiles, s3?: unknown): Promise<LoaderOutcome> {
  const sources = (['haves', 'wants', 'ratings'] as const).map((name) => ({ name, uri: files[name] }))
  return child<LoaderOutcome>('loader.ts', { sources, s3 })
}

/** The load from an S3 server on this machine against the SDK downloading the same bytes and dropping them. */
async function loadFromS3(files: ParquetFiles, endpoint: string | undefined): Promise<Record<string, unknown>> {
  const server = await serveFromS3(files, endpoint)
  try {
    const raw: RawDownload = await server.download()
    const ours = await loadOnce(server.files, server.connection)
    const rate = ours.readBytes / 1e6 / (ours.phases.count + ours.phases.scatter)
    console.error(`raw SDK download ${raw.mbPerSecond.toFixed(0)} MB/s, both passes ${rate.toFixed(0)} MB/s`)
    return {
      rows: files.rows,
      s3: true,
      seconds: round(ours.seconds),
      mbPerSecond: Math.round(rate),
      rawMbPerSecond: Math.round(raw.mbPerSecond),
      peakRssMb: Math.round(ours.peakRssMb),
      plannedMb: Math.round(ours.plannedMb),
    }
  } finally {
    await server.close()
  }
}

async function child<T>(script: string, input: unknown): Promise<T> {
  const path = fileURLToPath(new URL(`../load/${script}`, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [path, JSON.stringify(input)])
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T
}

function same(a: Outcome, b: Outcome): boolean {
  return (['users', 'items', 'entries', 'confidence'] as const).every((key) => a[key] === b[key])
}

function report(name: string, { seconds, users, items, entries, confidence, peakRssMb }: Outcome, ours: Outcome): void {
  const ratio = (seconds / ours.seconds).toFixed(2)
  console.error(
    `${name.padEnd(8)} ${seconds.toFixed(2).padStart(7)} s  ${ratio}x  ${peakRssMb.toFixed(0).padStart(6)} MB peak  ` +
      `${users} users, ${items} items, ${entries} entries, confidences add up to ${confidence}`,
  )
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
