import type { SparkModel } from '@seesaw/spark'
import { describeQuality, type Quality } from '../pipeline/measure.ts'
import type { Stages } from '../pipeline/stages.ts'
import { renderCosts, renderTable } from '../pipeline/tables.ts'
import { compact, grouped } from '../text/format.ts'

/** What became of the rows, where the vectors are, what each stage cost, and how good they are. */
export function printSummary(model: SparkModel, quality: readonly Quality[], { costs }: Stages): void {
  const sources = model.sources.map((source) => ({
    source: source.name,
    'rows read': grouped(source.rows),
    'not sampled': grouped(source.notSampled),
    'no confidence': grouped(source.withoutConfidence),
    'bad ids': grouped(source.nullIds + source.negativeIds),
    counted: grouped(source.counted),
  }))
  console.log(`\n${renderTable(sources, Object.keys(sources[0]!).slice(1))}`)
  const { users, items, entries } = model
  console.log(
    `${grouped(users.active)} of ${grouped(users.seen)} users, ${grouped(items.active)} of ${grouped(items.seen)} items, ` +
      `${grouped(entries)} entries. Vectors are in ${model.usersAt} and ${model.itemsAt}.`,
  )
  for (const warning of model.warnings) console.log(warning)
  console.log(`\n${renderCosts(costs)}`)
  console.log('Memory is that of this process, without Spark.')
  if (quality.length === 0) return
  const rows = describeQuality(quality)
  console.log(`\n${renderTable(rows, Object.keys(rows[0]!).slice(1))}`)
  console.log(
    `${compact(quality[0]!.metrics.users)} users with held-out entries, never trained on; all items ranked, those already known left out.`,
  )
}
