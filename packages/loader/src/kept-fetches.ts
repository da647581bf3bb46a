import { keptPlaces } from './plan/plan-disk.ts'
import type { PreparedLoad } from './plan/plan-load.ts'
import type { ReadReport, ReadTask } from './pool/messages.ts'
import { closeUnnamedFile, createUnnamedFile, emptyUnnamedFile } from './storage/kept-ranges.ts'

/** What the first pass fetched of a load's objects, on local disk for the second: planned before, gone after. */
export class KeptFetches {
  readonly #jobs: PreparedLoad['jobs']
  readonly #places: readonly (number | undefined)[]
  readonly #filled = new Set<number>()
  readonly #descriptor: number | undefined

  private constructor({ jobs, plan }: PreparedLoad, descriptor: number | undefined) {
    this.#jobs = jobs
    this.#descriptor = descriptor
    this.#places = descriptor === undefined ? [] : keptPlaces(jobs, plan.disk.kept)
  }

  static async create(prepared: PreparedLoad): Promise<KeptFetches> {
    const { kept, folder } = prepared.plan.disk
    return new KeptFetches(prepared, kept === 0 ? undefined : await createUnnamedFile(folder))
  }

  /** Where a job keeps what it fetches, or finds what it has fetched. */
  of(job: number): ReadTask['kept'] {
    const at = this.#places[job]
    if (at === undefined || this.#descriptor === undefined) return undefined
    const { ranges } = this.#jobs[job].request
    return { descriptor: this.#descriptor, at, ranges, filled: this.#filled.has(job) }
  }

  /** Notes whether the disk had room. */
  report(job: number, { kept }: ReadReport): void {
    if (kept) this.#filled.add(job)
  }

  /** Gives its space back when the second pass has read everything. */
  async empty(): Promise<void> {
    if (this.#descriptor !== undefined) await emptyUnnamedFile(this.#descriptor)
  }

  /** After the workers have ended: until then they may write. */
  async close(): Promise<void> {
    if (this.#descriptor !== undefined) await closeUnnamedFile(this.#descriptor)
  }
}
