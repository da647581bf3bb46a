import type { InteractionMatrix } from '@seesaw/als-core'
import type { PreparedLoad } from './plan/plan-load.ts'
import type { ReadReport } from './pool/messages.ts'
import { OUTCOMES, Outcome } from './rows/source-task.ts'
import type { SourceStats } from './source-stats.ts'
import { warningsOf } from './warnings.ts'

export type { SourceStats } from './source-stats.ts'

export interface LoadStats {
  readonly sources: readonly SourceStats[]
  readonly rows: number
  readonly users: IdStats
  readonly items: IdStats
  /** Rows that were merged into another row of the same pair. */
  readonly merged: number
  readonly entries: number
  /** With `rareItems`: the items below the threshold, and their entries. */
  readonly rare?: { readonly items: number; readonly entries: number }
  /** What removed more than half of the rows, users or items, with the option that decides it: for a person to read. */
  readonly warnings: readonly string[]
  /** Rounds of removal until the thresholds held, with `thresholds.repeat`. */
  readonly rounds: number
  /** Bytes of the needed columns that were read from where they are stored, in both passes. */
  readonly bytes: number
  /** Bytes that the second pass read from local disk, where the first had kept them. */
  readonly keptBytes: number
  /** Requests and bodies that had to be read again. */
  readonly retries: number
  /** Bytes written to temporary files. */
  readonly spilledBytes: number
  readonly seconds: {
    readonly plan: number
    readonly count: number
    readonly scatter: number
    readonly merge: number
    readonly transpose: number
    readonly total: number
  }
}

/** What became of the ids of a side. */
export interface IdStats {
  /** Distinct ids with at least one counted row. */
  readonly seen: number
  /** Those that are left in the matrix. */
  readonly active: number
  /** Those that were seen, by the rows counted for them: element b counts the ids with 2^b to 2^(b+1) - 1 rows. */
  readonly activity: readonly number[]
}

/** What the first pass knows of a side. */
interface SeenIds {
  readonly distinct: number
  readonly octaves: readonly number[]
}

/** Adds up the reports of the workers. */
export class LoadStatistics {
  readonly seconds: { plan: number; count: number; scatter: number; merge: number; transpose: number }
  rounds = 0
  /** Entries after merging, before the core was cut out. */
  merged = 0
  spilledBytes = 0
  #bytes = 0
  #keptBytes = 0
  #retries: number
  readonly #prepared: PreparedLoad
  readonly #counts: Float64Array[]
  readonly #scatters: Float64Array[]
  #users: Omit<IdStats, 'active'> = { seen: 0, activity: [] }
  #items: Omit<IdStats, 'active'> = { seen: 0, activity: [] }

  constructor(prepared: PreparedLoad) {
    this.#prepared = prepared
    this.#retries = prepared.retries
    this.#counts = prepared.plan.sources.map(() => new Float64Array(OUTCOMES))
    this.#scatters = prepared.plan.sources.map(() => new Float64Array(OUTCOMES))
    this.seconds = { plan: prepared.seconds, count: 0, scatter: 0, merge: 0, transpose: 0 }
  }

  counted(source: number, report: ReadReport): void {
    this.#add(this.#counts[source], report)
  }

  scattered(source: number, report: ReadReport): void {
    this.#add(this.#scatters[source], report)
  }

  /** The first pass is over: users and items with at least one counted row. */
  selected(users: SeenIds, items: SeenIds): void {
    this.#users = { seen: users.distinct, activity: users.octaves }
    this.#items = { seen: items.distinct, activity: items.octaves }
  }

  /** Why rows were left out in the first pass, for an error message. */
  describeDrops(): string {
    const sum = (outcome: number) => this.#counts.reduce((total, each) => total + each[outcome], 0)
    const parts = [
      `${sum(Outcome.kept)} rows counted`,
      `${sum(Outcome.notSampled)} not sampled`,
      `${sum(Outcome.withoutConfidence)} without a confidence`,
      `${sum(Outcome.outsideWindow)} outside the time window`,
      `${sum(Outcome.nullIds) + sum(Outcome.negativeIds)} with a null or negative id`,
    ]
    return `${parts.join(', ')}.`
  }

  finish(matrix: InteractionMatrix, rare?: InteractionMatrix): LoadStats {
    const sources = this.#prepared.plan.sources.map(({ name, files }, index): SourceStats => {
      const first = this.#counts[index]
      const second = this.#scatters[index]
      return {
        name,
        files: files.length,
        rows: first[Outcome.rows],
        nullIds: first[Outcome.nullIds],
        negativeIds: first[Outcome.negativeIds],
        notSampled: first[Outcome.notSampled],
        outsideWindow: first[Outcome.outsideWindow],
        withoutConfidence: first[Outcome.withoutConfidence],
        counted: first[Outcome.kept],
        inactiveUser: second[Outcome.inactiveUser],
        inactiveItem: second[Outcome.inactiveItem],
        used: second[Outcome.entries],
      }
    })
    const users = { ...this.#users, active: matrix.users }
    const items = { ...this.#items, active: matrix.items }
    const { seconds } = this
    const total = seconds.plan + seconds.count + seconds.scatter + seconds.merge + seconds.transpose
    return {
      sources,
      rows: sources.reduce((sum, source) => sum + source.rows, 0),
      users,
      items,
      warnings: warningsOf({ sources, users, items }, this.#prepared.options.thresholds),
      merged: sources.reduce((sum, source) => sum + source.used, 0) - this.merged,
      entries: matrix.entries,
      ...(rare && { rare: { items: rare.items, entries: rare.entries } }),
      rounds: this.rounds,
      bytes: this.#bytes,
      keptBytes: this.#keptBytes,
      retries: this.#retries,
      spilledBytes: this.spilledBytes,
      seconds: { ...seconds, total },
    }
  }

  #add(outcomes: Float64Array, report: ReadReport): void {
    for (let i = 0; i < OUTCOMES; i++) outcomes[i] += report.outcomes[i]
    if (report.fromKept) this.#keptBytes += report.bytes
    else this.#bytes += report.bytes
    this.#retries += report.retries
    this.spilledBytes += report.spilledBytes ?? 0
  }
}
