import type { ActiveIds } from '../count/select-active.ts'
import type { Buckets } from '../matrix/buckets.ts'
import type { ScatterArea } from '../matrix/scatter-area.ts'
import type { RowGroupJob } from '../plan/row-group-jobs.ts'
import { type LoadRun, readPass } from '../read-pass.ts'
import type { SpillFolder } from '../spill/spill-files.ts'
import type { scatterRowGroup, spillRowGroup } from './scatter-row-group.ts'

/** Pass 2: rows with an active user and item go to the buckets of their users. */
export async function scatterRows(
  run: LoadRun,
  active: { users: ActiveIds; items: ActiveIds },
  buckets: Buckets,
  target: { area: ScatterArea } | { spill: SpillFolder; stageRows: number },
): Promise<void> {
  const { pool, meter, statistics } = run
  const splitAt = run.prepared.options.split?.at.getTime()
  const maps = { users: active.users.map, items: active.items.map, buckets, splitAt }
  await readPass(run, 'scatter', (jobs, toRows, onReport) => {
    const counted: typeof onReport = (report, job, id) => {
      statistics.scattered(job.source, report)
      onReport(report, job, id)
    }
    return 'area' in target
      ? pool.run<typeof scatterRowGroup, RowGroupJob>(
          'scatterRowGroup',
          jobs,
          async (job, id) => ({ ...(await toRows(job, id)), ...maps, ...target }),
          counted,
        )
      : pool.run<typeof spillRowGroup, RowGroupJob>(
          'spillRowGroup',
          jobs,
          async (job, id) => ({ ...(await toRows(job, id)), ...maps, ...target }),
          counted,
        )
  })
  await run.kept.empty()
  statistics.seconds.scatter = meter.end()
}
