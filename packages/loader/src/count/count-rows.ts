import type { RowGroupJob } from '../plan/row-group-jobs.ts'
import { type LoadRun, readPass } from '../read-pass.ts'
import type { countRowGroup } from './count-row-group.ts'
import type { IdCounts } from './id-counter.ts'
import { type ActiveIds, selectActive } from './select-active.ts'

/** Pass 1: counts the rows of each user and item, and selects the active ones. */
export async function countRows(run: LoadRun): Promise<{ users: ActiveIds; items: ActiveIds }> {
  const { prepared, pool, meter, statistics } = run
  const { thresholds, rareItems } = prepared.options
  const counts = new Map<number, { users: IdCounts; items: IdCounts }>()
  const { users, items } = prepared
  await readPass(run, 'count', (jobs, toRows, onReport) =>
    pool.run<typeof countRowGroup, RowGroupJob>(
      'countRowGroup',
      jobs,
      async (job, id) => ({ ...(await toRows(job, id)), users, items }),
      (report, job, id) => {
        statistics.counted(job.source, report)
        counts.set(report.worker, { users: report.users, items: report.items })
        onReport(report, job, id)
      },
    ),
  )
  const parts = [...counts.entries()].sort(([a], [b]) => a - b).map(([, part]) => part)
  const active = {
    users: selectActive(
      users,
      parts.map((part) => part.users),
      thresholds.user,
    ),
    items: selectActive(
      items,
      parts.map((part) => part.items),
      rareItems ? 1 : thresholds.item,
    ),
  }
  statistics.selected(active.users, active.items)
  statistics.seconds.count = meter.end()
  return active
}
