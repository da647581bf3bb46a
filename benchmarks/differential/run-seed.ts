import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { type Case, randomCase, type Writer } from './case.ts'
import { findDifference, type Way } from './compare.ts'
import { askDuckDb } from './question.ts'
import { rowsOf, writeWithDuckDb } from './write-duckdb.ts'

/** All ways to load: on one thread and on three, in memory and through temporary files. */
export const WAYS: readonly Way[] = [
  { threads: 1, spill: false },
  { threads: 3, spill: false },
  { threads: 3, spill: true },
  { threads: 1, spill: true },
]

/** Writes the files of a seed, asks DuckDB, and loads them in each of the ways; says what differs. */
export async function runSeed(
  connection: DuckDBConnection,
  seed: number,
  programs: readonly Writer['program'][],
  ways: readonly Way[],
): Promise<string | undefined> {
  const one = randomCase(seed, programs)
  const folder = join(tmpdir(), `seesaw-differential-${process.pid}-${seed}`)
  try {
    const paths = await writeFiles(connection, one, folder)
    const answer = await askDuckDb(connection, one, paths)
    for (const way of ways) {
      const difference = await findDifference(one, paths, answer, way)
      if (difference !== undefined) return `${way.threads} threads${way.spill ? ', spilling' : ''}: ${difference}`
    }
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function writeFiles(connection: DuckDBConnection, one: Case, folder: string): Promise<string[][]> {
  const paths: string[][] = []
  for (const [s, source] of one.sources.entries()) {
    mkdirSync(join(folder, `${s}`), { recursive: true })
    paths.push([])
    for (const [f, file] of source.files.entries()) {
      const path = join(folder, `${s}`, `part-${f}${source.partitions.length > 0 && file.rows > 0 ? '' : '.parquet'}`)
      await writeWithDuckDb(connection, path, rowsOf(one, source, file), source, file)
      paths[s].push(path)
    }
  }
  return paths
}
