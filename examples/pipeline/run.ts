import { type AlsModel, saveModel } from '@seesaw/als-core'
import type { LoadedInteractions } from '@seesaw/loader'
import { answerInProcess } from './answer-in-process.ts'
import type { Configuration } from './configuration.ts'
import { bytes, compact } from './format.ts'
import { describeQuality, type Learned, learn } from './learn.ts'
import { collectReleases, describeMatrix, describeSources, load } from './load.ts'
import type { Progress } from './progress.ts'
import { publishModel } from './publish-model.ts'
import type { Answerer, Question } from './questions.ts'
import type { ReleaseStore } from './release-store.ts'
import type { Stages } from './stages.ts'
import { renderAnswers, renderCosts, renderTable } from './tables.ts'

/** What a run of the pipeline leaves for questions; `close` frees it. */
export interface Run {
  readonly model: AlsModel
  readonly releases: ReleaseStore
  /** One in process and, after publishing, one from Qdrant. */
  readonly answerers: readonly Answerer[]
  close(): Promise<void>
}

/**
 * The pipeline: Parquet, two passes, sparse matrix, factors, model on disk, and with QDRANT_URL a collection behind an
 * alias. Prints its summary; an abort ends it between two pieces of work, with nothing half-done left behind.
 */
export async function runPipeline(
  configuration: Configuration,
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<Run> {
  const loaded = await load(configuration, stages, progress, signal)
  const learned = await learn(configuration, loaded, stages, progress, signal)
  const { model } = learned
  const releases = await collectReleases(configuration, loaded, stages, progress, signal)
  const answerers: Answerer[] = []
  const close = async () => {
    for (const answerer of answerers) await answerer.close()
    releases.close()
  }
  try {
    await stages.run(
      'save',
      () => saveModel(model, configuration.OUTPUT_DIR),
      () => `${bytes(4 * (model.users + model.items) * model.factors)} of factors in ${configuration.OUTPUT_DIR}`,
    )
    if (configuration.QDRANT_URL) {
      await publishModel(configuration, model, releases, stages, progress, signal)
    }
    answerers.push(answerInProcess(model, releases, configuration.THREADS))
  } catch (error) {
    await close()
    throw error
  }
  printSummary(loaded, learned, stages)
  return { model, releases, answerers, close }
}

/** Asks every answerer every question and prints what it says. */
export async function printAnswers(questions: readonly Question[], { answerers }: Run, limit: number): Promise<void> {
  const columns = process.stdout.columns ?? 120
  for (const answerer of answerers) {
    if (answerers.length > 1) console.log(`\nAnswered ${answerer.name}`)
    for (const question of questions) {
      console.log(`\n${renderAnswers(question, await answerer.answer(question, limit), columns)}`)
    }
  }
}

function printSummary(loaded: LoadedInteractions, { quality, matrix }: Learned, { costs }: Stages): void {
  const sources = describeSources(loaded)
  console.log(`\n${renderTable(sources, Object.keys(sources[0]!).slice(1))}`)
  console.log(describeMatrix(loaded))
  console.log(`\n${renderCosts(costs)}`)
  if (quality) {
    const rows = describeQuality(quality)
    const heldOut = loaded.matrix.entries - matrix.entries
    console.log(`\n${renderTable(rows, Object.keys(rows[0]!).slice(1))}`)
    console.log(
      `${compact(heldOut)} held-out entries, never trained on; all items ranked, those already known left out.`,
    )
  }
}
