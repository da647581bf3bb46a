import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { type Case, randomCase, type Writer } from './case.ts'
import { compareLoad, type Way } from './compare.ts'
import { askDuckDb } from './question.ts'
import { rowsOf, writeWithDuckDb } from './write-duckdb.ts'

const WAYS: readonly Way[] = [
  { threads: 1, spill: false },
  { threads: 3, spill: false },
  { threads: 3, spill: true },
  { threads: 1, spill: true },
]

/** How a seed is loaded: one of four ways, or all of them. */
export function waysOf(seed: number, every: boolean): readonly Way[] {
  return every || seed % 8 === 0 ? WAYS : [WAYS[seed % 4]]
}

export interface SeedResult {
  /** What differs, if anything does. */
  readonly difference?: string
  /** Whether the answer was a refusal: an id that cannot be held, or a file that no reader of Arrow takes. */
  readonly refused: boolean
}

/** Writes the files of a seed, asks DuckDB, and loads them in each of the ways; says what differs. */
export async function runSeed(
  connection: DuckDBConnection,
  seed: number,
  programs: readonly Writer['program'][],
  ways: readonly Way[],
  writePeer?: WritePeer,
): Promise<SeedResult> {
  const one = randomCase(seed, programs)
  const folder = join(tmpdir(), `seesaw-differential-${process.pid}-${seed}`)
  try {
    const paths = await writeFiles(connection, one, folder, writePeer)
    const answer = await askDuckDb(connection, one, paths)
    let refused = false
    for (const way of ways) {
      const outcome = await compareLoad(one, paths, answer, way)
      if (outcome === 'refused') refused = true
      else if (outcome !== 'same') {
        return { difference: `${way.threads} threads${way.spill ? ', spilling' : ''}: ${outcome.difference}`, refused }
      }
    }
    return { refused }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Has pyarrow or polars write the rows of a file again; says what is in the way if they refuse. */
export type WritePeer = (from: string, to: string, writer: Writer) => Promise<string | undefined>

async function writeFiles(
  connection: DuckDBConnection,
  one: Case,
  folder: string,
  writePeer?: WritePeer,
): Promise<string[][]> {
  const paths: string[][] = []
  for (const [s, source] of one.sources.entries()) {
    mkdirSync(join(folder, `${s}`), { recursive: true })
    paths.push([])
    for (const [f, file] of source.files.entries()) {
      const name = `part-${f}${source.partitions.length > 0 && file.rows > 0 ? '' : '.parquet'}`
      const path = join(folder, `${s}`, name)
      await writeWithDuckDb(connection, path, rowsOf(one, source, file), source, file)
      paths[s].push(path)
      if (file.writer.program === 'duckdb' || writePeer === undefined) continue
      renameSync(path, `${path}.duckdb`)
      // What they cannot write stays as DuckDB wrote it.
      if ((await writePeer(`${path}.duckdb`, path, file.writer)) !== undefined) renameSync(`${path}.duckdb`, path)
    }
  }
  return paths
}
