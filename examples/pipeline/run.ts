import { type FeatureMatrix, type ServingFigures, saveModel } from '@seesaw/als-core'
import type { LoadedInteractions } from '@seesaw/loader'
import type { ChosenSetting } from '../configuration/read-configuration.ts'
import type { Configuration } from '../configuration/schema.ts'
import { bytes, compact, grouped } from '../text/format.ts'
import { answerFromQdrant } from './answer-from-qdrant.ts'
import { answerInProcess } from './answer-in-process.ts'
import { removeCatalogue, saveCatalogue } from './catalogue-file.ts'
import { serveCatalogue } from './catalogue-vectors.ts'
import { check } from './check.ts'
import { checkPoints } from './check-points.ts'
import { collectCatalogue } from './collect-catalogue.ts'
import {
  checkpointBytes,
  type FeatureSize,
  largestFactors,
  modelBytes,
  publishingMemory,
  trainingMemory,
} from './estimate.ts'
import { makeFeatures } from './features.ts'
import { checkSpace, temporaryFolder, writingTo } from './folders.ts'
import type { ItemStore } from './item-store.ts'
import { describeRecommended, describeTrials, type Learned, learn } from './learn.ts'
import { collectItems, describeMatrix, describeSources, load } from './load.ts'
import { describeQuality, measure, type Quality } from './measure.ts'
import { renderServing } from './measure-serving.ts'
import { observeAnswers } from './observe-answers.ts'
import type { Progress } from './progress.ts'
import { publishModel } from './publish-model.ts'
import type { Answerer, Question } from './questions.ts'
import { recordData } from './record-data.ts'
import { Recorder } from './recorder.ts'
import { makeServedVectors } from './served-vectors.ts'
import type { Stages } from './stages.ts'
import { renderAnswers, renderCosts, renderTable, terminalWidth } from './tables.ts'
import type { WholeCatalogue } from './whole-catalogue.ts'
import { openWorkFolder } from './work-folder.ts'

/** What a run of the pipeline leaves for questions; `close` frees it. */
export interface Run {
  readonly learned: Learned
  readonly loaded: LoadedInteractions
  /** With FEATURES: what is known of each item of the model. */
  readonly features?: FeatureMatrix
  readonly items: ItemStore
  /** With CATALOGUE=all: every item that is published. */
  readonly catalogue?: WholeCatalogue
  /** Names of the payload's columns. */
  readonly payload: readonly string[]
  /** Exact, from the model in this process. */
  readonly inProcess: Answerer
  /** From what was published, with QDRANT_URL. */
  readonly fromQdrant?: Answerer
  /** How good the answers are that users get; nothing when nothing was held out. */
  readonly serving: readonly ServingFigures[]
  /** Place of the report. */
  readonly report: string
  close(): Promise<void>
}

/**
 * The pipeline: Parquet, two passes, sparse matrix, factors, model on disk, and with QDRANT_URL a collection behind an
 * alias. Prints its summary; an abort ends it between two pieces of work, with nothing half-done left behind.
 */
export async function runPipeline(
  configuration: Configuration,
  settings: readonly ChosenSetting[],
  stages: Stages,
  progress: Progress,
  signal: AbortSignal,
): Promise<Run> {
  const { memoryBudget, load: plan, items: planned } = await check(configuration, stages, signal)
  const recorder = new Recorder(configuration, settings, stages, signal)
  // Without room in memory for all of it, the load works through files.
  recorder.plan('load', plan.spill ? configuration.memory : plan.memory.total)
  const held = new AsyncDisposableStack()
  const close = () => held.disposeAsync()
  try {
    const work = await openWorkFolder(temporaryFolder(configuration), signal)
    held.defer(() => work.close())
    const loaded = await load(configuration, { memoryBudget, temporaryDirectory: work.path }, stages, progress, signal)
    await recorder.attempt('what became of the rows', () => {
      recorder.record.data = recordData(configuration, loaded)
    })
    checkRoom(configuration, loaded, planned?.rows)
    checkPoints(configuration, loaded)
    const collect = async () => {
      const store = await writingTo('WORK_DIR', temporaryFolder(configuration), () =>
        collectItems(configuration, work.path, loaded, stages, progress, signal),
      )
      held.defer(() => store.close())
      return store
    }
    // Features come from the metadata; without them training comes first, and the model exists the sooner.
    const early = configuration.items.features.length > 0 ? await collect() : undefined
    const features = early && (await makeFeatures(configuration, early, stages))
    if (features) checkRoom(configuration, loaded, planned?.rows, features)
    recorder.plan('train', trainingMemory(configuration, loaded.matrix, sizeOf(features)))
    const learned = await writingTo('CHECKPOINT_DIR', configuration.output.checkpoint ?? '', () =>
      learn(configuration, loaded, features, recorder, stages, progress, signal),
    )
    const { model } = learned
    const { model: directory } = configuration.output
    await stages.run(
      'save',
      () => writingTo('OUTPUT_DIR', directory, () => saveModel(model, directory, { interactions: loaded.matrix })),
      () => `${bytes(modelBytes(configuration, loaded.matrix))} in ${directory}`,
    )
    const quality = await measure(configuration, learned, recorder, stages, progress, signal)
    const items = early ?? (await collect())
    // What shows the model's items later, such as the explorer, finds their titles there.
    const keep = configuration.items.uri === undefined ? removeCatalogue : saveCatalogue
    await writingTo('OUTPUT_DIR', directory, () => keep(directory, items, signal))
    const catalogue =
      configuration.items.catalogue === 'all'
        ? await writingTo('WORK_DIR', temporaryFolder(configuration), () =>
            collectCatalogue(configuration, work.path, model, loaded, stages, progress, signal),
          )
        : undefined
    if (catalogue) held.defer(async () => catalogue.close())
    if (configuration.qdrant.url) {
      const vectors = () =>
        catalogue
          ? serveCatalogue(configuration, model, catalogue, loaded, signal)
          : makeServedVectors(configuration, model, signal)
      recorder.plan('publish', publishingMemory(configuration, loaded.matrix, planned?.rows))
      await publishModel(configuration, vectors, catalogue ?? items, stages, progress, signal)
    }
    // Without a catalogue there is nothing in these columns.
    const payload = configuration.items.uri === undefined ? [] : Object.keys(configuration.items.payload)
    const { figures: serving } = await observeAnswers(
      configuration,
      { learned, items, payload },
      recorder,
      stages,
      signal,
    )
    await recorder.end()
    printSummary(loaded, learned, quality, stages)
    const inProcess = held.adopt(answerInProcess(configuration, model, items, catalogue), (answerer) =>
      answerer.close(),
    )
    const fromQdrant = configuration.qdrant.url
      ? held.adopt(answerFromQdrant(configuration), (answerer) => answerer.close())
      : undefined
    return {
      learned,
      loaded,
      features,
      items,
      catalogue,
      payload,
      inProcess,
      fromQdrant,
      serving,
      report: recorder.page,
      close,
    }
  } catch (error) {
    await recorder.end(error)
    await close()
    throw error
  }
}

/** Prints the answers: Qdrant's after publishing, and how many of them are the exact ones; otherwise the exact ones. */
export async function printAnswers(
  questions: readonly Question[],
  { inProcess, fromQdrant, payload, catalogue, serving }: Run,
  limit: number,
): Promise<void> {
  const columns = terminalWidth()
  const answerer = fromQdrant ?? inProcess
  console.log(`\nAnswered ${answerer.name}:`)
  let total = 0
  let same = 0
  for (const question of questions) {
    const answers = await answerer.answer(question, limit)
    console.log(`\n${renderAnswers(question, answers, payload, columns)}`)
    if (!fromQdrant) continue
    // In process there are the items of the model alone, and of these the answers are compared.
    const known = catalogue ? aboutTrained(question) : question
    const exact = new Set((await inProcess.answer(known, limit)).map(({ item }) => item.item_id))
    const theirs = known === question ? answers : await fromQdrant.answer(known, limit)
    total += exact.size
    same += theirs.filter(({ item }) => exact.has(item.item_id)).length
  }
  if (fromQdrant) console.log(`\n${same} of ${total} answers are those of an exact search in process.`)
  if (serving.length > 0)
    console.log(`\nServed ${answerer.name}, measured on what was held out:\n${renderServing(serving)}`)
}

/** The same question about the items of the model alone. */
function aboutTrained({ filter, ...question }: Question): Question {
  return { ...question, filter: { ...filter, has: { ...filter.has, evidence: 'trained' } } }
}

function sizeOf(features: Pick<FeatureMatrix, 'features' | 'indices'> | undefined): FeatureSize | undefined {
  return features && { features: features.features, entries: features.indices.length }
}

/** Sizes are known now, and training may take hours. @throws Error for too little memory or room on a disk */
function checkRoom(
  configuration: Configuration,
  { matrix }: LoadedInteractions,
  catalogue: number | undefined,
  features?: Pick<FeatureMatrix, 'features' | 'indices'>,
): void {
  const { memory, training, output } = configuration
  const needed = Math.max(
    trainingMemory(configuration, matrix, sizeOf(features)),
    publishingMemory(configuration, matrix, catalogue),
  )
  if (needed > memory) {
    const fits = largestFactors(configuration, matrix)
    throw new Error(
      `Training ${grouped(matrix.users)} users × ${grouped(matrix.items)} items takes ${bytes(needed)} with ` +
        `${training.factors} factors, and this process may use ${bytes(memory)}. ` +
        `${fits > 0 ? `Set VECTOR_DIM=${fits}` : 'Take fewer users (SAMPLE_FRAC_*)'}, raise MIN_USER_INTERACTIONS, or give it more memory.`,
    )
  }
  checkSpace(
    output.model,
    modelBytes(configuration, matrix),
    'The model',
    'Set OUTPUT_DIR to a larger one, or VECTOR_DIM lower.',
  )
  if (output.checkpoint === undefined) return
  const what = 'A checkpoint beside the one that it replaces'
  checkSpace(output.checkpoint, checkpointBytes(configuration, matrix), what, 'Set CHECKPOINT_DIR to a larger one.')
}

function printSummary(
  loaded: LoadedInteractions,
  { matrix, tuned, recommended }: Learned,
  quality: readonly Quality[],
  { costs }: Stages,
): void {
  const sources = describeSources(loaded)
  console.log(`\n${renderTable(sources, Object.keys(sources[0]!).slice(1))}`)
  console.log(describeMatrix(loaded))
  for (const warning of loaded.stats.warnings) console.log(warning)
  console.log(`\n${renderCosts(costs)}`)
  if (recommended) {
    console.log('\nNo option that fits the training to its data was given; the shape of the data recommends')
    console.log(renderTable(describeRecommended(recommended)))
  }
  if (tuned) {
    const trials = describeTrials(tuned)
    console.log(`\nThe best of ${tuned.runs.length} trainings that TUNE tried:`)
    console.log(renderTable(trials, Object.keys(trials[0]!).slice(1)))
  }
  if (quality.length === 0) return
  const rows = describeQuality(quality)
  const heldOut = loaded.matrix.entries - matrix.entries
  console.log(`\n${renderTable(rows, Object.keys(rows[0]!).slice(1))}`)
  console.log(`${compact(heldOut)} held-out entries, never trained on; all items ranked, those already known left out.`)
}
