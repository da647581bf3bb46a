import { compileKernel } from '../kernel/instantiate.ts'
import * as solverBytes from '../kernel/solver.wasm.ts'
import { sharedFloat32 } from '../matrix/compressed-rows.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel, IterationReport, PhaseSeconds } from '../model/als-model.ts'
import { runShards } from '../pool/run-shards.ts'
import { createWorkerPool, type WorkerPool } from '../pool/worker-pool.ts'
import { checkMatrix } from './check-matrix.ts'
import { type HalfSweep, halfSweep, restoreFactors, type Workbench } from './half-sweep.ts'
import type { InitializeTask } from './initialize-shards.ts'
import { viewKernel } from './kernel-view.ts'
import { planLayout } from './layout.ts'
import { type ModelOptions, resolveOptions, type TrainOptions } from './options.ts'
import { commitFactors, makeSides, type Side } from './sides.ts'

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

/**
 * Factorises an interaction matrix by alternating least squares (Hu, Koren, Volinsky 2008; Rendle et al. 2022).
 *
 * The same matrix, options and seed give the same factors, bit for bit, for any number of threads.
 *
 * @throws OptionError, MatrixError before any thread starts; RowError, SingularError when a system cannot be solved;
 * TrainingAborted on abort.
 */
export async function train(matrix: InteractionMatrix, options: TrainOptions = {}): Promise<AlsModel> {
  const resolved = resolveOptions(options)
  checkMatrix(matrix)
  options.signal?.throwIfAborted()
  const pool = options.pool ?? createWorkerPool({ threads: options.threads })
  try {
    return await runIterations(matrix, resolved, options, pool)
  } finally {
    if (!options.pool) await pool.close()
  }
}

async function runIterations(
  matrix: InteractionMatrix,
  options: ModelOptions,
  { signal, onIteration, onProgress, userIds, itemIds, interactionCounts }: TrainOptions,
  pool: WorkerPool,
): Promise<AlsModel> {
  const bench = openWorkbench(matrix, options, pool, signal)
  const { padded } = bench.share.layout
  const { users, items } = makeSides(matrix, options.factors, padded)
  const observed = sumOfTargets(matrix, options)
  const history: IterationReport[] = []
  const toModel = async (): Promise<AlsModel> => ({
    factors: options.factors,
    users: matrix.users,
    items: matrix.items,
    userFactors: await restoreFactors(bench, users, users.factors!),
    itemFactors: await restoreFactors(bench, items, items.factors!),
    ...(userIds && { userIds }),
    ...(itemIds && { itemIds }),
    interactionCounts: interactionCounts ?? countInteractions(matrix),
    options,
    history: [...history],
  })

  await initialize(bench, items, options)
  for (let iteration = 1; iteration <= options.iterations; iteration++) {
    const started = performance.now()
    const phases: PhaseSeconds = { gram: 0, eigen: 0, rotate: 0, solve: 0 }
    const before = { users: users.factors, items: items.factors }
    try {
      const sweep = async (solved: Side, fixed: Side): Promise<HalfSweep> => {
        trackProgress(bench, solved, iteration, options.iterations, onProgress)
        const result = await halfSweep(bench, solved, fixed, phases)
        return result
      }
      const first = await sweep(users, items)
      commitFactors(users, first.toFactors, padded)
      const second = await sweep(items, users)
      commitFactors(items, second.toFactors, padded)
      const seconds = (performance.now() - started) / 1000
      const regularization =
        options.regularizationScaling === 'none' ? options.regularization * second.fixedSquaredNorm : first.penalty
      const rows = matrix.users + matrix.items
      history.push({
        iteration,
        loss: observed + second.objective + regularization,
        seconds,
        phases,
        rows,
        rowsPerSecond: rows / seconds,
        entriesPerSecond: (2 * matrix.entries) / seconds,
        stepsPerRow: (first.steps + second.steps) / rows,
      })
    } catch (error) {
      if (!signal?.aborted) throw error
      users.factors = before.users
      items.factors = before.items
      throw new TrainingAborted(history.length > 0 ? await toModel() : undefined, signal.reason)
    }
    if ((await onIteration?.(history[history.length - 1], toModel)) === 'stop') break
  }
  if (!users.factors) users.factors = { values: users.spare }
  return toModel()
}

/** Allocates the shared memory and compiles the kernel. */
export function openWorkbench(
  matrix: InteractionMatrix,
  options: ModelOptions,
  pool: WorkerPool,
  signal: AbortSignal | undefined,
): Workbench {
  const rows = Math.max(matrix.users, matrix.items)
  const bytes = options.gatherPrecision === 'bfloat16' ? 2 : 4
  const layout = planLayout(options.factors, options.solver === 'cg' ? rows : 0, bytes, pool.threads)
  const pages = Math.ceil(layout.totalBytes / 65_536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const module = compileKernel(solverBytes, options.kernel)
  const share = { module, memory, layout }
  if (matrix.codebook) new Float32Array(memory.buffer).set(matrix.codebook, layout.codebook / 4)
  return {
    pool,
    options,
    share,
    kernel: viewKernel(share, 0).kernel,
    ...(layout.outside && { outside: new Uint8Array(new SharedArrayBuffer(rows * layout.padded * bytes)) }),
    ...(matrix.codebook && { codebook: matrix.codebook }),
    running: { signal },
  }
}

/** The side that is held first gets its random start. */
async function initialize(bench: Workbench, side: Side, { factors, seed }: ModelOptions): Promise<void> {
  const { padded } = bench.share.layout
  const { bounds, count } = side.rowShards
  const task: Omit<InitializeTask, 'board'> = { bounds, factors: side.spare, k: factors, padded, seed }
  await runShards(bench.pool, 'initializeShards', count, task, bench.running)
  side.factors = { values: side.spare }
  side.spare = sharedFloat32(side.rows * padded)
}

function trackProgress(
  bench: Workbench,
  solved: Side,
  iteration: number,
  iterations: number,
  onProgress: TrainOptions['onProgress'],
): void {
  if (!onProgress) return
  const { count } = solved.solveShards
  let phase: 'gram' | 'rotate' | 'solve' = 'gram'
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

/** Σ of b over the entries: the constant of the objective, c p² of each liked entry. */
function sumOfTargets({ csr, codebook }: InteractionMatrix, { alpha }: ModelOptions): number {
  const { values } = csr
  let sum = 0
  if (codebook) {
    const counts = new Float64Array(256)
    for (let e = 0; e < values.length; e++) counts[values[e]]++
    for (let code = 0; code < codebook.length; code++) sum += counts[code] * Math.max(0, alpha * codebook[code])
    return sum
  }
  for (let e = 0; e < values.length; e++) sum += Math.max(0, alpha * values[e])
  return sum
}

function countInteractions({ csc, items }: InteractionMatrix): Uint32Array {
  return Uint32Array.from({ length: items }, (_, item) => csc.indptr[item + 1] - csc.indptr[item])
}
