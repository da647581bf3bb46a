import { saveModel } from '@seesaw/als-core'
import type { LoadedInteractions } from '@seesaw/loader'
import { answerFromQdrant } from './answer-from-qdrant.ts'
import { answerInProcess } from './answer-in-process.ts'
import type { Configuration } from './configuration.ts'
import { bytes, compact } from './format.ts'
import { describeQuality, type Learned, learn } from './learn.ts'
import { collectReleases, describeMatrix, describeSources, load } from './load.ts'
import type { Progress } from './progress.ts'
import { findServing, publishModel } from './publish-model.ts'
import type { Answerer, Question } from './questions.ts'
import type { ReleaseStore } from './release-store.ts'
import type { Stages } from './stages.ts'
import { renderAnswers, renderCosts, renderTable, terminalWidth } from './tables.ts'

/** What a run of the pipeline leaves for questions; `close` frees it. */
export interface Run {
  readonly learned: Learned
  readonly releases: ReleaseStore
  /** Exact, from the model in this process. */
  readonly inProcess: Answerer
  /** From what was published, with QDRANT_URL. */
  readonly fromQdrant?: Answerer
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
  if (configuration.QDRANT_URL) await findServing(configuration, stages, signal)
  const loaded = await load(configuration, stages, progress, signal)
  const learned = await learn(configuration, loaded, stages, progress, signal)
  const { model } = learned
  const releases = await collectReleases(configuration, loaded, stages, progress, signal)
  try {
    await stages.run(
      'save',
      () => saveModel(model, configuration.OUTPUT_DIR),
      () => `${bytes(4 * (model.users + model.items) * model.factors)} of factors in ${configuration.OUTPUT_DIR}`,
    )
    if (configuration.QDRANT_URL) {
      await publishModel(configuration, model, releases, stages, progress, signal)
    }
  } catch (error) {
    releases.close()
    throw error
  }
  printSummary(loaded, learned, stages)
  const inProcess = answerInProcess(model, releases, configuration.THREADS)
  const fromQdrant = configuration.QDRANT_URL ? answerFromQdrant(configuration) : undefined
  const close = async () => {
    await fromQdrant?.close()
    await inProcess.close()
    releases.close()
  }
  return { learned, releases, inProcess, fromQdrant, close }
}

/** Prints the answers: Qdrant's after publishing, and how many of them are the exact ones; otherwise the exact ones. */
export async function printAnswers(
  questions: readonly Question[],
  { inProcess, fromQdrant }: Run,
  limit: number,
): Promise<void> {
  const columns = terminalWidth()
  const answerer = fromQdrant ?? inProcess
  console.log(`\nAnswered ${answerer.name}:`)
  let total = 0
  let same = 0
  for (const question of questions) {
    const answers = await answerer.answer(question, limit)
    console.log(`\n${renderAnswers(question, answers, columns)}`)
    if (!fromQdrant) continue
    const exact = new Set((await inProcess.answer(question, limit)).map(({ release }) => release.item_id))
    total += exact.size
    same += answers.filter(({ release }) => exact.has(release.item_id)).length
  }
  if (fromQdrant) console.log(`\n${same} of ${total} answers are those of an exact search in process.`)
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
