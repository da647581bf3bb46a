import { checkMatrix } from '../matrix/check-matrix.ts'
import { MatrixError } from '../matrix/compressed-rows.ts'
import { countInteractions } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { itemWeightsOf, type PopularityWeights, popularityWeights, weightItems } from '../matrix/weight-items.ts'
import type { AlsModel, IterationReport, PhaseSeconds } from '../model/als-model.ts'
import { entryTerms, meanUserLambda, sumOfTargets } from '../model/objective.ts'
import { collectGarbageWith } from '../pool/collect-garbage.ts'
import { runShards } from '../pool/run-shards.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { createWorkerPool } from '../pool/worker-pool.ts'
import { extrapolate } from '../solve/extrapolate-shards.ts'
import type { FeatureMap } from '../solve/feature-map.ts'
import { type HalfSweep, halfSweep } from '../solve/half-sweep.ts'
import { restoreFactors, restoreInPlace } from '../solve/restore-shards.ts'
import { type Factors, makeSides, type Side } from '../solve/sides.ts'
import { openWorkbench, type Workbench } from '../solve/workbench.ts'
import { type Fingerprint, readCheckpoint, takeFingerprint, writeCheckpoint } from './checkpoint.ts'
import {
  type BySide,
  checkFeatureOptions,
  fitFeatureMaps,
  hashFeatures,
  mapPenalty,
  mostFeatures,
  openFeatureMaps,
  planMapStarts,
  predictFromStarts,
  toFeatureVectors,
} from './feature-maps.ts'
import { applyStart, planStart, type SideStart, type Starts } from './initial.ts'
import type { initializeShards } from './initialize-shards.ts'
import { type Columns, checkColumns, resolveOptions, type TrainOptions, type TrainProgress } from './options.ts'
import { TrainingAborted } from './training-aborted.ts'
import { explainFailure } from './vanished.ts'

/** `train` with a kernel memory of at most `memoryLimit` bytes: a larger fixed side is stored outside of it. */
export async function trainWithin(
  memoryLimit: number,
  original: InteractionMatrix,
  options: TrainOptions,
): Promise<AlsModel> {
  const resolved = resolveOptions(options)
  checkMatrix(original)
  if (original.entries === 0) throw new MatrixError('The matrix has no entries: there is nothing to learn from.')
  const columns = checkColumns(options, original)
  const { popularityExponent } = resolved
  const weights = popularityExponent > 0 ? popularityWeights(original, popularityExponent) : undefined
  const itemWeights = weights && itemWeightsOf(original, weights)
  const matrix = itemWeights ? weightItems(original, itemWeights) : original
  checkFeatureOptions(options, matrix)
  const start = planStart({ initial: options.initial, ...columns }, matrix, resolved.factors)
  const { signal, checkpoint } = options
  if (signal?.aborted) throw new TrainingAborted(undefined, signal.reason)
  const mapStarts = planMapStarts(options, resolved.factors)
  const fingerprint = checkpoint && (await takeFingerprint(matrix, resolved, hashFeatures(options)))
  const saved = checkpoint && (await readCheckpoint(checkpoint, fingerprint!, matrix))
  const pool = options.pool ?? createWorkerPool({ threads: options.threads })
  try {
    const bench = openWorkbench(matrix, resolved, pool, signal, memoryLimit, mostFeatures(options))
    const sides = makeSides(matrix, resolved.factors)
    const training: Training = {
      matrix,
      bench,
      ...sides,
      maps: openFeatureMaps(options, resolved, sides, { threads: pool.threads, memoryLimit }, saved?.maps ?? mapStarts),
      observed: sumOfTargets(matrix, entryTerms(resolved)),
      options,
      columns,
      itemWeights,
      weights,
    }
    if (saved) {
      sides.users.factors = saved.users
      sides.items.factors = saved.items
      training.before = saved.before
    } else {
      await initialize(training, start)
    }
    return await runIterations(training, [...(saved?.history ?? [])], fingerprint)
  } finally {
    if (options.pool) await collectGarbageWith(pool)
    else await pool.close()
  }
}

interface Training {
  readonly matrix: InteractionMatrix
  readonly bench: Workbench
  readonly users: Side
  readonly items: Side
  /** The items as of the iteration before the last, once one is complete: momentum is the change since. */
  before?: Factors
  /** From features to factors. */
  readonly maps: BySide<FeatureMap>
  /** The constant of the objective. */
  readonly observed: number
  readonly options: TrainOptions
  readonly columns: Columns
  readonly itemWeights?: Float32Array<SharedArrayBuffer>
  readonly weights?: PopularityWeights
}

async function runIterations(
  training: Training,
  history: IterationReport[],
  fingerprint: Fingerprint | undefined,
): Promise<AlsModel> {
  const { bench, users, items, options } = training
  const { signal, checkpoint, onIteration } = options
  const { iterations } = bench.options
  while (history.length < iterations) {
    try {
      history.push(await iterate(training, history))
    } catch (error) {
      if (!signal?.aborted) throw error
      // Where the items were before their momentum moved them.
      if (training.before) items.factors = training.before
      throw new TrainingAborted(
        history.length > 0 ? await toModel(training, history, 'last') : undefined,
        signal.reason,
      )
    }
    const report = history[history.length - 1]
    const stopped = (await onIteration?.(report, () => toModel(training, history))) === 'stop'
    const last = stopped || report.iteration === iterations
    if (checkpoint && (last || report.iteration % (checkpoint.everyIterations ?? 1) === 0)) {
      const { before, maps } = training
      const state = { users: users.factors!, items: items.factors!, before, maps, history }
      await writeCheckpoint(checkpoint.directory, fingerprint!, state)
    }
    if (last) break
  }
  return toModel(training, history, 'last')
}

/**
 * One iteration: the users with the items fixed, then the items with the users fixed. The items are moved by their momentum
 * first. When that raises the loss, the iteration starts over from where they were. Then the feature maps are fitted to both.
 */
async function iterate(training: Training, history: readonly IterationReport[]): Promise<IterationReport> {
  const { matrix, bench, users, items, maps, options } = training
  const started = performance.now()
  const sweeps: Sweeps = { phases: { gram: 0, basis: 0, transform: 0, solve: 0, features: 0 }, steps: 0 }
  const moved = await applyMomentum(training, history.length)
  let loss = await sweepBoth(training, history.length + 1, sweeps)
  if (moved && loss > history[history.length - 1].loss * (1 + LOSS_ERROR)) {
    items.factors!.values.set(moved.values)
    items.factors = { values: items.factors!.values, toFactors: moved.toFactors }
    loss = await sweepBoth(training, history.length + 1, sweeps)
  }
  loss -= await fitFeatureMaps(bench, { users, items }, maps, sweeps.phases)
  trackProgress(bench, undefined, history.length + 1, options.onProgress)
  const seconds = (performance.now() - started) / 1000
  const { phases, steps } = sweeps
  const iteration = history.length + 1
  const rows = matrix.users + matrix.items
  const rowsPerSecond = rows / seconds
  const entriesPerSecond = (2 * matrix.entries) / seconds
  const stepsPerRow = steps / rows
  // From values that are there already: see RankingMetrics on literals.
  return { iteration, loss, seconds, phases, rows, rowsPerSecond, entriesPerSecond, stepsPerRow }
}

/** Relative error of the loss of an iteration. */
const LOSS_ERROR = 1e-5

/** Sums over the half-sweeps of an iteration. */
interface Sweeps {
  readonly phases: PhaseSeconds
  steps: number
}

/**
 * From the third iteration on moves the items by their momentum; the second only keeps what it starts from.
 *
 * @returns the items that were moved.
 */
async function applyMomentum(training: Training, complete: number): Promise<Factors | undefined> {
  const { bench, items, before } = training
  const { momentum } = bench.options
  if (momentum === 0 || complete === 0) return undefined
  const { values, toFactors } = items.factors!
  if (before) {
    training.before = await extrapolate(bench, items, before, momentum)
    return training.before
  }
  training.before = { values: sharedFloat32(values.length), toFactors }
  training.before.values.set(values)
  return undefined
}

/** Solves the users, then the items. Returns the loss, with the feature maps as they are. */
async function sweepBoth(training: Training, iteration: number, sweeps: Sweeps): Promise<number> {
  const { bench, users, items, maps, observed } = training
  const { options } = bench
  const sweep = async (solved: Side, fixed: Side): Promise<HalfSweep> => {
    trackProgress(bench, solved, iteration, training.options.onProgress)
    const result = await halfSweep(bench, solved, fixed, sweeps.phases).catch(async (error) => {
      throw await explainFailure(error, bench, fixed)
    })
    sweeps.steps += result.steps
    return result
  }
  const first = await sweep(users, items)
  const second = await sweep(items, users)
  const regularization =
    options.regularizationScaling === 'none' ? options.regularization * second.fixedSquaredNorm : first.penalty
  const loss = observed + second.objective + regularization
  // λ|x - p|² = λ|x|² - 2λ x·p + λ|p|²; the items' objective has the first two of them.
  return loss + second.priorPenalty + first.priorPenalty - 2 * first.priorProduct + mapPenalty(maps)
}

/** The model as of the last complete iteration. The 'last' one is in the memory of the sides. */
async function toModel(training: Training, history: IterationReport[], which?: 'last'): Promise<AlsModel> {
  const { matrix, bench, columns, itemWeights, weights, maps } = training
  const k = bench.options.factors
  const restore = async (side: Side): Promise<Float32Array<SharedArrayBuffer>> => {
    if (!side.factors) return sharedFloat32(side.rows * k)
    return which === 'last' ? restoreInPlace(bench, side) : restoreFactors(bench, side)
  }
  return {
    factors: k,
    users: matrix.users,
    items: matrix.items,
    userFactors: await restore(training.users),
    itemFactors: await restore(training.items),
    ...columns,
    ...toFeatureVectors(training.options, maps, k, which),
    interactionCounts: columns.interactionCounts ?? countInteractions(matrix),
    ...(itemWeights && { itemWeights, popularityWeights: weights }),
    options: bench.options,
    userRegularization: meanUserLambda(bench.options, matrix),
    history: [...history],
  }
}

/** The items, which are fixed first, get their start, and so do users and feature maps where `initial` has them. */
async function initialize({ bench, users, items, maps, options }: Training, start: Starts): Promise<void> {
  const { factors, seed } = bench.options
  const { padded } = bench.share.layout
  const fill = async (side: Side, seed: number, from: SideStart | undefined): Promise<void> => {
    const { bounds, count } = side.rowShards
    const values = sharedFloat32(side.rows * padded)
    const task = { bounds, factors: values, k: factors, padded, seed }
    await runShards<typeof initializeShards>(bench.pool, 'initializeShards', count, task, bench.running)
    if (from) applyStart(from, values, factors, padded)
    side.factors = { values }
  }
  try {
    await fill(items, seed, start.items)
    if (start.users) await fill(users, ~seed >>> 0, start.users)
    await predictFromStarts(bench, maps)
  } catch (error) {
    if (!options.signal?.aborted) throw error
    throw new TrainingAborted(undefined, options.signal.reason)
  }
}

/** Reports the progress of the half-sweep of `solved`, which begins; without it, that the iteration is complete. */
function trackProgress(
  bench: Workbench,
  solved: Side | undefined,
  iteration: number,
  onProgress: TrainOptions['onProgress'],
): void {
  if (!onProgress) return
  const { iterations } = bench.options
  if (!solved) {
    bench.onPhase = undefined
    bench.running.onShards = undefined
    onProgress({ iteration, iterations, side: 'items', phase: 'solve', fraction: 1 })
    return
  }
  const { count } = solved.solveShards
  let phase: TrainProgress['phase'] = 'gram'
  const report = (done: number): void => {
    const inSweep = phase === 'solve' ? done / count : phase === 'features' ? 1 : 0
    const fraction = (solved.name === 'users' ? 0 : 0.5) + inSweep / 2
    onProgress({ iteration, iterations, side: solved.name, phase, fraction })
  }
  bench.onPhase = (next) => {
    phase = next
    report(0)
  }
  bench.running.onShards = report
}
