import { OptionError } from '../checks/option-error.ts'
import { show } from '../checks/show.ts'
import type { KernelName } from '../kernel/instantiate.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { IdTable } from '../model/id-table.ts'
import { loadModel } from '../model/load-model.ts'
import { collectGarbageWith } from '../pool/collect-garbage.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { ServedModel } from './served-model.ts'

/** The model that answers a recommender's calls, until another takes its place. */
export class CurrentModel {
  readonly #pool: WorkerPool
  readonly #kernel: KernelName | undefined
  #served: ServedModel
  #ending: Promise<void> = Promise.resolve()
  #replacing: Promise<void> = Promise.resolve()
  #closed = false

  constructor(
    model: AlsModel,
    interactions: InteractionMatrix | undefined,
    pool: WorkerPool,
    kernel: KernelName | undefined,
  ) {
    this.#pool = pool
    this.#kernel = kernel
    this.#served = new ServedModel(model, interactions, pool, kernel)
  }

  get served(): ServedModel {
    return this.#served
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Runs a call on the model that answers now, to its end. */
  async track<T>(work: (served: ServedModel) => Promise<T>): Promise<T> {
    this.#refuseWhenClosed()
    const served = this.#served
    return served.track(() => work(served))
  }

  /** Opens and prepares another model, then lets it answer; one after the other, in the order of the calls. */
  replace(model: string | AlsModel, interactions: InteractionMatrix | undefined): Promise<void> {
    const replacing = this.#replacing.then(async () => {
      const next = typeof model === 'object' && model !== null ? model : await openModel(model)
      this.#refuseWhenClosed()
      const served = new ServedModel(next, interactions ?? next.interactions, this.#pool, this.#kernel)
      await served.prepareAs(this.#served)
      this.#refuseWhenClosed()
      const before = this.#served
      this.#served = served
      this.#retire(before)
    })
    this.#replacing = replacing.catch(() => {})
    return replacing
  }

  /** Waits for running calls, then frees the indexes. Further calls fail. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#replacing
    await Promise.all([this.#ending, this.#served.close()])
  }

  /** Ends a model after its last call; a collection then gives back what V8 would keep of it: 40 MB of 57 at each change without. */
  #retire(before: ServedModel): void {
    const collect = () => (this.#closed ? undefined : collectGarbageWith(this.#pool))
    this.#ending = Promise.all([this.#ending, before.close()]).then(collect)
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new Error('This recommender is closed. Make another one.')
  }
}

/** Reads a model with the tables of its ids, which those of earlier releases do not have. */
export async function openModel(directory: string): Promise<AlsModel> {
  if (typeof directory !== 'string' || directory === '') {
    throw new OptionError(`The model is ${show(directory)}, expected a directory or a model.`)
  }
  const model = await loadModel(directory)
  for (const ids of [model.userIds, model.itemIds]) if (ids) await IdTable.prepare(ids)
  return model
}
