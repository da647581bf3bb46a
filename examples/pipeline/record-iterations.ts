import {
  type AlsModel,
  evaluate,
  type InteractionMatrix,
  type IterationReport,
  type WorkerPool,
} from '@seesaw/als-core'
import type { Configuration } from '../configuration/schema.ts'
import type { RunRecord } from '../report/run-record.ts'
import { bytes } from '../text/format.ts'
import { trainingMemory } from './estimate.ts'
import type { Recorder } from './recorder.ts'
import { sampleUsers } from './sample-users.ts'

/** Users to measure an iteration with: their mean NDCG has a standard error of about 0.01. */
const USERS = 500
/** Measuring takes a copy of the factors; none is made that is larger, in bytes. */
const LARGEST_COPY = 256e6
/**
 * What a measurement may leave in memory until the training ends, in copies of the factors: shared memory is freed late.
 * Amazon CDs: 634 MB with five measurements and 340 MB without, of copies of 40 MB.
 */
const COPIES = 2

/** Notes what each iteration of a training gave, in loss and, where entries were held out, in quality. */
export class IterationRecord {
  readonly #recorder: Recorder
  readonly #iterations: number
  readonly #pool: WorkerPool
  readonly #train: InteractionMatrix
  readonly #test: InteractionMatrix | undefined
  readonly #users: Uint32Array
  readonly #measured = new Map<number, number>()

  constructor(
    recorder: Recorder,
    configuration: Configuration,
    pool: WorkerPool,
    { train, test, iterations = 1 }: { train: InteractionMatrix; test?: InteractionMatrix; iterations?: number },
  ) {
    const { training, seed } = configuration
    const copy = 4 * training.factors * (train.users + train.items)
    const measurements = Array.from({ length: iterations }, (_, at) => at + 1).filter((iteration) =>
      isMeasured(iteration, iterations),
    ).length
    const more = COPIES * copy * measurements
    const fits = copy <= LARGEST_COPY && trainingMemory(configuration, train) + more <= configuration.memory
    if (test && fits) recorder.raisePlan('train', more)
    this.#recorder = recorder
    this.#iterations = iterations
    this.#pool = pool
    this.#train = train
    this.#test = fits ? test : undefined
    this.#users = this.#test ? sampleUsers([train, this.#test], USERS, seed) : new Uint32Array(0)
    if (test && !fits)
      recorder.leaveOut(
        'Quality by iteration',
        `its measurements may hold ${bytes(more)}, copies of the factors; see the final figures`,
      )
  }

  async add(report: IterationReport, model: () => Promise<AlsModel>): Promise<void> {
    await this.#recorder.attempt('quality by iteration', async () => {
      if (!this.#test || this.#users.length === 0 || !isMeasured(report.iteration, this.#iterations)) return
      const options = { train: this.#train, test: this.#test, users: this.#users, k: 20, pool: this.#pool }
      const { at } = await evaluate(await model(), options)
      this.#measured.set(report.iteration, at[20]!.ndcg)
    })
    this.#keep([...(this.#recorder.record.training?.iterations ?? []), this.#row(report)])
    this.#recorder.saveNowAndThen()
  }

  /** The training is over: its history has the iterations of a run before too, from whose checkpoint it went on. */
  end(history: readonly IterationReport[], resumedAfter: number): void {
    this.#keep(history.map((report) => this.#row(report)))
    if (resumedAfter > 0) this.#recorder.record.training!.resumedAfter = resumedAfter
  }

  #keep(iterations: NonNullable<RunRecord['training']>['iterations']): void {
    this.#recorder.record.training = {
      iterations,
      ...(this.#measured.size > 0 && { measuredUsers: this.#users.length }),
    }
  }

  #row({ iteration, loss, seconds, entriesPerSecond }: IterationReport) {
    const ndcg = this.#measured.get(iteration)
    return {
      iteration,
      ...(Number.isFinite(loss) && { loss }),
      seconds,
      entriesPerSecond,
      ...(ndcg !== undefined && { ndcg }),
    }
  }
}

/** The first three, then one in each half doubling, and the last: what happens, happens early. */
function isMeasured(iteration: number, iterations: number): boolean {
  return iteration <= 3 || iteration === iterations || /^1(1|0)0*$/.test(iteration.toString(2))
}
