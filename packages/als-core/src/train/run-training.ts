import { checkMatrix } from '../matrix/check-matrix.ts'
import { countInteractions } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { itemWeightsOf, type PopularityWeights, popularityWeights, weightItems } from '../matrix/weight-items.ts'
import type { AlsModel, IterationReport, PhaseSeconds } from '../model/als-model.ts'
import { entryTerms, meanUserLambda, sumOfTargets } from '../model/objective.ts'
import { collectGarbageWith } from '../pool/collect-garbage.ts'
import { runShards } from '../pool/run-shards.ts'
import { sharedFloat32 } from '../pool/shared-arrays.ts'
import { createWorkerPool } from '../pool/worker-pool.ts'
import { type HalfSweep, halfSweep } from '../solve/half-sweep.ts'
import { restoreFactors } from '../solve/restore-shards.ts'
import { commitFactors, makeSides, rollBack, type Side } from '../solve/sides.ts'
import { openWorkbench, type Workbench } from '../solve/workbench.ts'
import { type Fingerprint, readCheckpoint, takeFingerprint, writeCheckpoint } from './checkpoint.ts'
import { applyStart, planStart, type SideStart, type Starts } from './initial.ts'
import type { initializeShards } from './initialize-shards.ts'
import { type Columns, checkColumns, resolveOptions, type TrainOptions, type TrainProgress } from './options.ts'

/** The training was aborted by its signal. `model` has the factors of the last complete iteration, if there was one. */
export class TrainingAborted extends Error {
  override readonly name = 'TrainingAborted'
  readonly model: AlsModel | undefined

  constructor(model: AlsModel | undefined, reason: unknown) {
    super(
      model
        ? `Training aborted after ${model.history.length} complete iterations; error.model has their factors.`
        : 'Training aborted before the first iteration was complete.',
      { cause: reason },
    )
    this.model = model
  }
}

/** `train` with a kernel memory of at most `memoryLimit` bytes: a fixed side beyond it is held outside. */
export async function trainWithin(
  memoryLimit: number,
  given: InteractionMatrix,
  options: TrainOptions,
): Promise<AlsModel> {
  const resolved = resolveOptions(options)
  checkMatrix(given)
  const columns = checkColumns(options, given)
  const { popularityExponent } = resolved
  const weights = popularityExponent > 0 ? popularityWeights(given, popularityExponent) : undefined
  const itemWeights = weights && itemWeightsOf(given, weights)
  const matrix = itemWeights ? weightItems(given, itemWeights) : given
  const start = planStart({ initial: options.initial, ...columns }, matrix, resolved.factors)
  const { signal, checkpoint } = options
  if (signal?.aborted) throw new TrainingAborted(undefined, signal.reason)
  const fingerprint = checkpoint && (await takeFingerprint(matrix, resolved))
  const saved = checkpoint && (await readCheckpoint(checkpoint, fingerprint!, matrix))
  const pool = options.pool ?? createWorkerPool({ threads: options.threads })
  try {
    const bench = openWorkbench(matrix, resolved, pool, signal, memoryLimit)
    const sides = makeSides(matrix, resolved.factors, bench.share.layout.padded)
    const training = {
      matrix,
      bench,
      ...sides,
      observed: sumOfTargets(matrix, entryTerms(resolved)),
      given: options,
      columns,
      itemWeights,
      weights,
    }
    if (saved) {
      sides.users.factors = saved.users
      sides.items.factors = saved.items
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
  /** The constant of the objective. */
  readonly observed: number
  readonly given: TrainOptions
  readonly columns: Columns
  readonly itemWeights?: Float32Array<SharedArrayBuffer>
  readonly weights?: PopularityWeights
}

async function runIterations(
  training: Training,
  history: IterationReport[],
  fingerprint: Fingerprint | undefined,
): Promise<AlsModel> {
  const { bench, users, items, given } = training
  const { signal, checkpoint, onIteration } = given
  const { iterations } = bench.options
  while (history.length < iterations) {
    const before = { users: users.factors, items: items.factors }
    try {
      history.push(await iterate(training, history.length + 1))
    } catch (error) {
      if (!signal?.aborted) throw error
      rollBack(users, before.users)
      rollBack(items, before.items)
      throw new TrainingAborted(
        history.length > 0 ? await toModel(training, history, 'last') : undefined,
        signal.reason,
      )
    }
    const report = history[history.length - 1]
    const stopped = (await onIteration?.(report, () => toModel(training, history))) === 'stop'
    const last = stopped || report.iteration === iterations
    if (checkpoint && (last || report.iteration % (checkpoint.everyIterations ?? 1) === 0)) {
      const state = { users: users.factors!, items: items.factors!, history }
      await writeCheckpoint(checkpoint.directory, fingerprint!, state)
    }
    if (last) break
  }
  return toModel(training, history, 'last')
}

/** One iteration: the users with the items held, the items with the users held. */
async function iterate(training: Training, iteration: number): Promise<IterationReport> {
  const { matrix, bench, users, items, observed, given } = training
  const { options, share } = bench
  const started = performance.now()
  const phases: PhaseSeconds = { gram: 0, basis: 0, transform: 0, solve: 0 }
  const sweep = async (solved: Side, fixed: Side): Promise<HalfSweep> => {
    trackProgress(bench, solved, iteration, given.onProgress)
    const result = await halfSweep(bench, solved, fixed, phases)
    commitFactors(solved, result.toFactors, share.layout.padded)
    return result
  }
  const first = await sweep(users, items)
  const second = await sweep(items, users)
  trackProgress(bench, undefined, iteration, given.onProgress)
  const seconds = (performance.now() - started) / 1000
  const regularization =
    options.regularizationScaling === 'none' ? options.regularization * second.fixedSquaredNorm : first.penalty
  const loss = observed + second.objective + regularization
  const rows = matrix.users + matrix.items
  const rowsPerSecond = rows / seconds
  const entriesPerSecond = (2 * matrix.entries) / seconds
  const stepsPerRow = (first.steps + second.steps) / rows
  return { iteration, loss, seconds, phases, rows, rowsPerSecond, entriesPerSecond, stepsPerRow }
}

/** The model as of the last complete iteration. The 'last' one takes the sides' spare arrays instead of new memory. */
async function toModel(training: Training, history: IterationReport[], which?: 'last'): Promise<AlsModel> {
  const { matrix, bench, columns, itemWeights, weights } = training
  const k = bench.options.factors
  const restore = async (side: Side): Promise<Float32Array<SharedArrayBuffer>> => {
    if (!side.factors) return sharedFloat32(side.rows * k)
    const free = which === 'last' ? new Float32Array(side.spare.buffer, 0, side.rows * k) : undefined
    return restoreFactors(bench, side, side.factors, free)
  }
  return {
    factors: k,
    users: matrix.users,
    items: matrix.items,
    userFactors: await restore(training.users),
    itemFactors: await restore(training.items),
    ...columns,
    interactionCounts: columns.interactionCounts ?? countInteractions(matrix),
    ...(itemWeights && { itemWeights, popularityWeights: weights }),
    options: bench.options,
    userRegularization: meanUserLambda(bench.options, matrix),
    history: [...history],
  }
}

/** The items, which are held first, get their start, and the users where `initial` has them. */
async function initialize({ bench, users, items, given }: Training, start: Starts): Promise<void> {
  const { factors, seed } = bench.options
  const { padded } = bench.share.layout
  const fill = async (side: Side, seed: number, from: SideStart | undefined): Promise<void> => {
    const { bounds, count } = side.rowShards
    const task = { bounds, factors: side.spare, k: factors, padded, seed }
    await runShards<typeof initializeShards>(bench.pool, 'initializeShards', count, task, bench.running)
    if (from) applyStart(from, side.spare, factors, padded)
    commitFactors(side, undefined, padded)
  }
  try {
    await fill(items, seed, start.items)
    if (start.users) await fill(users, ~seed >>> 0, start.users)
  } catch (error) {
    if (!given.signal?.aborted) throw error
    throw new TrainingAborted(undefined, given.signal.reason)
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
    const inSweep = phase === 'solve' ? done / count : 0
    const fraction = (solved.name === 'users' ? 0 : 0.5) + inSweep / 2
    onProgress({ iteration, iterations, side: solved.name, phase, fraction })
  }
  bench.onPhase = (next) => {
    phase = next
    report(0)
  }
  bench.running.onShards = report
}
