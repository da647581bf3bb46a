import type { AlsModel } from '../model/als-model.ts'

/**
 * The training was aborted by its signal. When an iteration was complete, `model` has every row as it was solved last: by that
 * iteration or by the one cut short.
 */
export class TrainingAborted extends Error {
  override readonly name = 'TrainingAborted'
  readonly model: AlsModel | undefined

  constructor(model: AlsModel | undefined, reason: unknown) {
    super(
      model
        ? `Training aborted after ${model.history.length} complete iterations; error.model has the factors so far.`
        : 'Training aborted before the first iteration was complete.',
      { cause: reason },
    )
    this.model = model
  }
}
