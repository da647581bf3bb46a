import { tmpdir } from 'node:os'
import { lockDirectory } from '@seesaw/als-core'
import { readVectors, type S3Options } from '@seesaw/loader'
import type { SparkModel } from '@seesaw/spark'
import type { Configuration } from '../configuration/schema.ts'
import { answerFromQdrant } from '../pipeline/answer-from-qdrant.ts'
import { checkForCluster } from '../pipeline/check.ts'
import { checkFolders } from '../pipeline/folders.ts'
import { collectItems } from '../pipeline/load.ts'
import type { Quality } from '../pipeline/measure.ts'
import type { Progress } from '../pipeline/progress.ts'
import { publishModel } from '../pipeline/publish-model.ts'
import { askAboutBestKnown } from '../pipeline/questions.ts'
import type { Stages } from '../pipeline/stages.ts'
import { renderAnswers, terminalWidth } from '../pipeline/tables.ts'
import { openWorkFolder } from '../pipeline/work-folder.ts'
import { grouped } from '../text/format.ts'
import { measureHeldOut } from './measure-held-out.ts'
import { printSummary } from './print-summary.ts'
import { servedStreams } from './served-streams.ts'
import type { ClusterSettings } from './settings.ts'
import { surveyItems } from './survey-items.ts'
import { trainBySpark } from './train-by-spark.ts'

/** What every stage is given. */
interface Run {
  readonly configuration: Configuration
  readonly stages: Stages
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly s3?: S3Options
}

/**
 * The pipeline past one machine: Parquet, passes and factors on Spark, held-out quality, Qdrant. This process holds
 * neither the matrix nor the factors: ids and counts of the items, some row groups of their vectors at a time.
 */
export async function runOnCluster(
  configuration: Configuration,
  cluster: ClusterSettings,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { endpoint } = configuration.s3
  const run: Run = { configuration, stages, progress, signal, ...(endpoint && { s3: { endpoint } }) }
  const local = !cluster.directory.includes('://')
  if (local) checkFolders([['WORK_DIR', cluster.directory]])
  const plan = await checkForCluster(configuration, stages, signal)
  // Elsewhere than on a disk nothing says whose a folder is.
  const unlock = local ? await lockDirectory(cluster.directory, signal) : undefined
  try {
    const model = await trainBySpark(configuration, cluster, plan, stages, progress, signal)
    const quality = await evaluateOn(model, run)
    const published = configuration.qdrant.url ? await publishFrom(model, run) : undefined
    printSummary(model, quality, stages)
    for (const answer of published ?? []) console.log(`\n${answer}`)
  } finally {
    await unlock?.()
  }
}

async function evaluateOn(model: SparkModel, { configuration, stages, progress, signal, s3 }: Run): Promise<Quality[]> {
  const { heldOutAt } = model
  if (heldOutAt === undefined) return []
  const { threads } = configuration
  const onProgress = (done: number) =>
    progress.update({ phase: 'rank', done, total: model.items.active, unit: 'items' })
  return stages.run(
    'evaluate',
    () => measureHeldOut(model, heldOutAt, { s3, threads, signal, onProgress }),
    ([ours]) => `held-out entries of ${grouped(ours!.metrics.users)} users ranked among all items`,
  )
}

/** Publishes the vectors as they are read, and returns what Qdrant then answers. */
async function publishFrom(model: SparkModel, { configuration, stages, progress, signal, s3 }: Run): Promise<string[]> {
  const { threads, qdrant } = configuration
  const options = { s3, threads, signal }
  const items = await readVectors({ ...options, source: model.itemsAt, numbers: ['interaction_count'] })
  const onProgress = (done: number) => progress.update({ phase: 'items', done, total: items.points, unit: 'vectors' })
  const survey = await stages.run(
    'survey',
    () => surveyItems(model, items, { threads, signal, onProgress }),
    ({ itemIds }) => `ids, counts and the taste space of ${grouped(itemIds.length)} items`,
  )
  const work = await openWorkFolder(tmpdir(), signal)
  try {
    const store = await collectItems(configuration, work.path, survey, stages, progress, signal)
    try {
      const makeVectors = async () => {
        const users = qdrant.users ? await readVectors({ ...options, source: model.usersAt }) : undefined
        return servedStreams(configuration, survey.space, { items, users })
      }
      await publishModel(configuration, makeVectors, store, stages, progress, signal)
      const payload = configuration.items.uri === undefined ? [] : Object.keys(configuration.items.payload)
      const answerer = answerFromQdrant(configuration)
      try {
        const answers: string[] = []
        for (const question of askAboutBestKnown(store)) {
          answers.push(renderAnswers(question, await answerer.answer(question, 5), payload, terminalWidth()))
        }
        return answers
      } finally {
        await answerer.close()
      }
    } finally {
      store.close()
    }
  } finally {
    await work.close()
  }
}
