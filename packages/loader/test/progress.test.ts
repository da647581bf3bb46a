import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type LoadProgress, loadInteractions } from '../src/index.ts'
import { pairColumns, signals, temporaryFolder, writeParquet } from './parquet-files.ts'

test('progress tells bytes, rows, files, rates and the time left, phase by phase', async () => {
  const folder = temporaryFolder()
  for (let part = 0; part < 3; part++) {
    writeParquet(join(folder, `${part}.parquet`), pairColumns(signals(10_000, 200, 100, part)))
  }
  const events: LoadProgress[] = []
  const { plan, stats, matrix } = await loadInteractions({
    sources: [{ name: 'haves', uri: folder }],
    threads: 2,
    onProgress: (progress) => events.push(progress),
  })
  const phases = [...new Set(events.map((event) => event.phase))]
  expect(phases).toEqual(['plan', 'count', 'scatter', 'merge', 'transpose'])
  for (const phase of ['count', 'scatter'] as const) {
    const last = events.filter((event) => event.phase === phase).at(-1)!
    expect(last).toMatchObject({
      rows: 30_000,
      totalRows: 30_000,
      files: 3,
      totalFiles: 3,
      bytes: plan.bytes,
      etaSeconds: 0,
    })
    expect(last.rowsPerSecond).toBeCloseTo(30_000 / last.seconds)
    expect(last.bytesPerSecond).toBeCloseTo(plan.bytes / last.seconds)
  }
  expect(events.at(-1)).toMatchObject({ phase: 'transpose', rows: 2 * matrix.entries, totalRows: 2 * matrix.entries })
  const { total, ...phasesSeconds } = stats.seconds
  expect(total).toBeCloseTo(Object.values(phasesSeconds).reduce((sum, seconds) => sum + seconds, 0))
})
