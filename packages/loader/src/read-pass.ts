import type { KeptFetches } from './kept-fetches.ts'
import type { PreparedLoad } from './plan/plan-load.ts'
import type { RowGroupJob } from './plan/row-group-jobs.ts'
import type { ReadReport, SourceRows } from './pool/messages.ts'
import type { WorkerPool } from './pool/pool.ts'
import type { ProgressMeter } from './progress.ts'
import type { LoadStatistics } from './statistics.ts'
import { connect } from './storage/connection.ts'

/** A load under way. */
export interface LoadRun {
  readonly prepared: PreparedLoad
  readonly pool: WorkerPool
  readonly meter: ProgressMeter
  readonly statistics: LoadStatistics
  readonly kept: KeptFetches
}

/** Runs one pass over all row groups: `run` sends each to a worker and hands back its report. */
export async function readPass(
  { prepared, meter, kept }: LoadRun,
  phase: 'count' | 'scatter',
  run: (
    jobs: readonly RowGroupJob[],
    toRows: (job: RowGroupJob, id: number) => Promise<SourceRows>,
    onReport: (report: ReadReport, job: RowGroupJob, id: number) => void,
  ) => Promise<void>,
): Promise<void> {
  const { jobs, plan, options, compiled } = prepared
  const codebook = compiled.coded ? undefined : compiled.codebook
  meter.begin(phase, { bytes: plan.bytes, rows: plan.rows, files: jobs.filter((job) => job.last).length })
  await run(
    jobs,
    async ({ file, request, source, fixed }, id) => {
      // Asked for again per row group, so that keys may be renewed during a pass.
      const connection = await connect(options.s3)
      return { id, file, request, connection, kept: kept.of(id), source: compiled.tasks[source], fixed, codebook }
    },
    (report, job, id) => {
      kept.report(id, report)
      meter.add({ bytes: report.bytes, rows: job.request.rows, files: job.last ? 1 : 0 }, report.retries)
    },
  )
}
