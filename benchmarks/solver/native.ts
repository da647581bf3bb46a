/** The solve phase beside the same passes in C: what a native kernel would add, and what of it huge pages are. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { median } from 'simple-statistics'
import { cachedInteractions } from '../cached-interactions.ts'
import { hkv, Program } from './program.ts'
import { printTable } from './table.ts'

interface Row {
  program: string
  threads: number
  seconds: number
}

/** One conjugate-gradient step a row on both sides; needs a C compiler named cc and a processor with AVX2. */
export async function native({ size, factors }: { size: string; factors: number }): Promise<Record<string, unknown>> {
  const prefix = await cachedInteractions(size)
  const { users, items, entries } = JSON.parse(readFileSync(`${prefix}.json`, 'utf8'))
  const binary = fileURLToPath(new URL('../.cache/native-passes', import.meta.url))
  const source = fileURLToPath(new URL('native-passes.c', import.meta.url))
  execFileSync('cc', ['-O3', '-mavx2', '-mfma', '-pthread', source, '-o', binary])
  const rows: Row[] = []
  for (const threads of [1, 2]) {
    for (const [program, hugePages] of Object.entries({ 'C, 4 KB pages': 0, 'C, huge pages': 1 })) {
      const seconds = execFileSync(binary, [prefix, users, items, factors, threads, hugePages].map(String))
      rows.push({ program, threads, seconds: Number(seconds) })
    }
    rows.push({ program: 'Seesaw, solve phase', threads, seconds: await solvePhase(prefix, factors, threads) })
  }
  printTable<Row>(
    [
      ['program', ({ program }) => program],
      ['threads', ({ threads }) => String(threads)],
      ['processor s a thread', ({ seconds }) => seconds.toFixed(3)],
      ['ns an entry and thread', ({ threads, seconds }) => ((1e9 * seconds * threads) / (2 * entries)).toFixed(0)],
    ],
    rows,
  )
  const of = (name: string) => rows.find(({ program, threads }) => threads === 2 && program.startsWith(name))!.seconds
  return {
    size,
    factors,
    ratioToNative: of('C, 4 KB') / of('Seesaw'),
    ratioToNativeHugePages: of('C, huge') / of('Seesaw'),
  }
}

async function solvePhase(prefix: string, factors: number, threads: number): Promise<number> {
  const program = await Program.start('seesaw', prefix, {
    ...hkv,
    factors,
    threads,
    // Every row stops at its first step.
    tolerance: 1e6,
  })
  for (let i = 0; i < 7; i++) await program.iterate()
  await program.close()
  return median(
    program.iterations.slice(1).map(({ cpuSeconds, seconds, report }) => {
      return ((cpuSeconds / threads) * report!.phases.solve) / seconds
    }),
  )
}
