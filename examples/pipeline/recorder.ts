import type { ChosenSetting } from '../configuration/read-configuration.ts'
import type { Configuration } from '../configuration/schema.ts'
import { keepPrevious, replaceFile, reportFiles } from '../report/report-files.ts'
import type { RunRecord } from '../report/run-record.ts'
import type { Stages } from './stages.ts'

/**
 * Keeps the record of a run and saves it beside the model whenever a stage has ended, so that a run that is stopped, fails or
 * is killed has left what it did. What goes wrong with the record is a warning: it never ends a run.
 */
export class Recorder {
  readonly record: RunRecord
  readonly #folder: string
  readonly #stages: Stages
  readonly #signal: AbortSignal
  #previous: RunRecord | undefined
  #saved = 0

  constructor(configuration: Configuration, settings: readonly ChosenSetting[], stages: Stages, signal: AbortSignal) {
    this.#folder = configuration.output.model
    this.#stages = stages
    this.#signal = signal
    this.record = {
      format: 'seesaw-run',
      version: 1,
      status: 'running',
      began: new Date(Date.now() - 1000 * stages.elapsed).toISOString(),
      seconds: 0,
      settings: settings.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }])),
      stages: [],
      memory: { limit: configuration.memory, samples: [], plans: [] },
      warnings: [],
    }
    this.#attemptNow('the report of the run before', () => {
      this.#previous = keepPrevious(this.#folder)
    })
    stages.onEnd = () => this.save()
    this.save()
  }

  /** Place of the page. */
  get page(): string {
    return reportFiles(this.#folder).page
  }

  /** Collects what the report shows under `what`. An error is a warning, but for the one of an abort. */
  async attempt(what: string, collect: () => void | Promise<void>): Promise<void> {
    try {
      await collect()
    } catch (error) {
      this.#signal.throwIfAborted()
      this.#warn(what, error)
    }
  }

  /** Says in the report why it does not show something. */
  leaveOut(what: string, why: string): void {
    this.record.warnings.push(`${what}: ${why}`)
  }

  /** A plan that the memory of a stage is compared with. */
  plan(stage: string, bytes: number): void {
    this.record.memory.plans.push({ stage, bytes })
  }

  /** Adds to the plan of a stage. */
  raisePlan(stage: string, bytes: number): void {
    for (const plan of this.record.memory.plans) if (plan.stage === stage) plan.bytes += bytes
  }

  /** Saves what there is, at once. */
  save(): void {
    this.#attemptNow('the record', () => {
      const { record } = this
      record.seconds = this.#stages.elapsed
      record.stages = this.#stages.costs.map((cost) => ({ ...cost }))
      record.memory.samples = this.#stages.memory.points()
      replaceFile(reportFiles(this.#folder).record, `${JSON.stringify(record)}\n`)
      this.#saved = performance.now()
    })
  }

  /** Saves within a stage, once a second at most. */
  saveNowAndThen(): void {
    if (performance.now() - this.#saved >= 1000) this.save()
  }

  /** The run is over: saves its record and writes its page. Without an error it is complete. */
  async end(error?: unknown): Promise<void> {
    const { record } = this
    record.status = error === undefined ? 'complete' : this.#signal.aborted ? 'interrupted' : 'failed'
    if (error !== undefined) record.error = error instanceof Error ? error.message : String(error)
    this.save()
    try {
      const { renderReport } = await import('../report/render-report.ts')
      replaceFile(this.page, renderReport(record, this.#previous))
    } catch (fault) {
      this.#warn('the page', fault)
    }
  }

  #attemptNow(what: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#warn(what, error)
    }
  }

  #warn(what: string, error: unknown): void {
    const { message } = error as Error
    const warning = `${what}: ${message}`
    if (!this.record.warnings.includes(warning)) {
      this.record.warnings.push(warning)
      console.error(`Not in the report: ${warning}`)
    }
  }
}
