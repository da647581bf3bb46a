import { type SparkModel, type SparkSource, trainOnSpark } from '@seesaw/spark'
import type { Configuration } from '../configuration/schema.ts'
import type { Plan } from '../pipeline/check.ts'
import type { Progress } from '../pipeline/progress.ts'
import type { Stages } from '../pipeline/stages.ts'
import { grouped } from '../text/format.ts'
import type { ClusterSettings } from './settings.ts'

/** The passes and the training, on Spark. What it cannot express is refused by it, with the reason. */
export function trainBySpark(
  configuration: Configuration,
  { directory, spark, blocks }: ClusterSettings,
  { load }: Plan,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<SparkModel> {
  const { sources, thresholds, merge, training, holdOut, seed, s3, output } = configuration
  const { unobservedWeight, ...settings } = training
  // Those files that the loader would read, by its rule, and no others: columns of a file without rows may have any type.
  const listed = sources.flatMap(({ uri: _, files: __, partitions: ___, ...source }, index) => {
    const files = load.sources[index]!.files.filter(({ rows }) => rows > 0).map(({ uri }) => uri)
    return files.length > 0 ? [{ ...source, files }] : []
  })
  if (listed.length === 0) {
    throw new Error(`No rows in ${sources.map(({ name }) => name).join(', ')}: expected interactions in at least one.`)
  }
  return stages.run(
    'spark',
    () =>
      trainOnSpark({
        sources: listed as SparkSource[],
        thresholds,
        ...settings,
        ...{ merge, initial: output.initialModel, holdOut, seed, directory, spark, blocks },
        ...(training.objective === 'ials' && { unobservedWeight }),
        // Keys are in the environment, where Spark finds them.
        s3: { endpoint: s3.endpoint, region: spark.environment.AWS_REGION || spark.environment.AWS_DEFAULT_REGION },
        signal,
        onProgress: ({ phase, done, total, unit }) => progress.update({ phase, done, total, unit }),
      }),
    ({ users, items, entries, resumed, seconds }) =>
      [
        `${grouped(users.active)} users × ${grouped(items.active)} items, ${grouped(entries)} entries`,
        ...(resumed ? ['merged by an earlier run'] : []),
        `${training.iterations} iterations of ${((seconds.train ?? 0) / training.iterations).toFixed(1)} s`,
      ].join(', '),
  )
}
