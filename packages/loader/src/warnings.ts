import type { SourceStats } from './source-stats.ts'

interface Removed {
  readonly sources: readonly SourceStats[]
  readonly users: { readonly seen: number; readonly active: number }
  readonly items: { readonly seen: number; readonly active: number }
}

interface Thresholds {
  readonly user: number
  readonly item: number
  readonly repeat: boolean
}

/**
 * What removed more than half of the rows, the users or the items, with the name of the option that decides it. A sample
 * does not count: it is asked for, and the plan says what it leaves.
 */
export function warningsOf({ sources, users, items }: Removed, thresholds: Thresholds): string[] {
  const warnings: string[] = []
  const note = (removed: number, all: number, what: string, why: string) => {
    if (2 * removed > all) warnings.push(`${percent(removed, all)} of ${grouped(all)} ${what} are left out: ${why}.`)
  }
  for (const source of sources) {
    const { name, rows, notSampled, nullIds, negativeIds, outsideWindow, withoutConfidence } = source
    const sampled = rows - notSampled
    const what = `rows of source "${name}"`
    note(nullIds, sampled, what, 'a null as an id (invalidIds.null)')
    note(negativeIds, sampled, what, 'a negative id (invalidIds.negative)')
    note(outsideWindow, sampled, what, 'no time, or one outside `time.since` and `time.until`')
    note(withoutConfidence, sampled, what, 'a value that `confidence` has no weight above 0 for')
  }
  const repeated = thresholds.repeat ? ', thresholds.repeat' : ''
  const { user, item } = thresholds
  note(users.seen - users.active, users.seen, 'users', `fewer than ${user} rows (thresholds.user${repeated})`)
  note(items.seen - items.active, items.seen, 'items', `fewer than ${item} rows (thresholds.item${repeated})`)
  const counted = sources.reduce((sum, source) => sum + source.counted, 0)
  const inactive = sources.reduce((sum, source) => sum + source.inactiveUser + source.inactiveItem, 0)
  const both = `their user has fewer than ${user} or their item fewer than ${item} (thresholds.user, thresholds.item)`
  note(inactive, counted, 'rows that count', both)
  return warnings
}

function percent(part: number, all: number): string {
  // Down, so that 100 % means all.
  return `${Math.floor((100 * part) / all)} %`
}

function grouped(value: number): string {
  return value.toLocaleString('en')
}
