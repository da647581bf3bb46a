import { randomUUID } from 'node:crypto'
import { type MergeOnSparkOptions, mergeOnSpark, type SparkEntries, type SparkModel, trainOnSpark } from '@seesaw/spark'
import type { PreparedSpark } from '../../packages/spark/scripts/prepare-spark.ts'
import { costOf, type ProcessCost } from './process-tree.ts'
import type { Setting } from './setting.ts'

/** A result of Spark and what its processes cost. */
export interface SparkRun<T> {
  readonly result: T
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakRssMb: number
}

type Sources = Pick<MergeOnSparkOptions, 'sources' | 'thresholds' | 'directory'>

/** The passes: seconds from the first look at the files on, the start of the JVM left out. */
export async function runPasses(
  prepared: PreparedSpark,
  options: Sources,
  threads: number,
): Promise<SparkRun<SparkEntries>> {
  const watch = new Watch()
  const result = await mergeOnSpark({ ...options, spark: watch.spark(prepared, threads), onProgress: watch.see })
  const { plan = 0, 'count users': users = 0, 'count items': items = 0, merge = 0 } = result.seconds
  return { result, seconds: plan + users + items + merge, ...watch.costBetween('plan', undefined) }
}

/** Training alone: from the first job of MLlib to its last. */
export async function runTraining(
  prepared: PreparedSpark,
  directory: string,
  { entries, factors, iterations, regularization, alpha, seed, threads }: Setting,
): Promise<SparkRun<SparkModel>> {
  const watch = new Watch()
  const result = await trainOnSpark({
    sources: [
      { name: 'known', uri: entries, user: 'user', item: 'item', confidence: { column: 'value', weight: 'linear' } },
    ],
    thresholds: { user: 1, item: 1 },
    ...{ directory, factors, iterations, regularization, alpha, seed },
    spark: watch.spark(prepared, threads),
    onProgress: watch.see,
  })
  return { result, seconds: result.seconds.train!, ...watch.costBetween('train', 'write') }
}

/** Looks at Spark's processes when a phase begins, and now and then. */
class Watch {
  readonly #variable = `SEESAW_BENCHMARK=${randomUUID()}`
  readonly #begins = new Map<string, ProcessCost>()
  #last: ProcessCost = { cpuSeconds: 0, peakRssMb: 0 }

  spark({ submit, python }: PreparedSpark, threads: number): MergeOnSparkOptions['spark'] {
    const [name, value] = this.#variable.split('=')
    return {
      environment: { ...process.env, [name]: value },
      ...{ submit, python, master: `local[${threads}]` },
      conf: { 'spark.ui.enabled': false, 'spark.sql.shuffle.partitions': 8 * threads },
    }
  }

  readonly see = ({ phase }: { phase: string }): void => {
    this.#last = costOf(this.#variable)
    if (!this.#begins.has(phase)) this.#begins.set(phase, this.#last)
  }

  /** From where one phase begins to where another does, or to the last look. */
  costBetween(from: string, to: string | undefined): ProcessCost {
    const end = (to === undefined ? undefined : this.#begins.get(to)) ?? this.#last
    return { cpuSeconds: end.cpuSeconds - this.#begins.get(from)!.cpuSeconds, peakRssMb: this.#last.peakRssMb }
  }
}
