/** What kind of thing went wrong, for callers that act on it. */
export type LoadErrorCode =
  | 'options'
  | 'missing'
  | 'changed'
  | 'credentials'
  | 'storage'
  | 'truncated'
  | 'corrupt'
  | 'schema'
  | 'encrypted'
  | 'ids'
  | 'memory'
  | 'disk'
  | 'worker'

/** Where it went wrong, as far as known. */
export interface LoadErrorPlace {
  readonly file?: string
  readonly column?: string
  readonly rowGroup?: number
}

/** Every failure of the loader other than an abort. The message names the place, what was expected and what to try. */
export class LoadError extends Error implements LoadErrorPlace {
  override readonly name = 'LoadError'
  readonly code: LoadErrorCode
  readonly file?: string
  readonly column?: string
  readonly rowGroup?: number

  constructor(code: LoadErrorCode, message: string, place: LoadErrorPlace = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.file = place.file
    this.column = place.column
    this.rowGroup = place.rowGroup
  }
}

/** A LoadError as plain data: structured cloning between threads keeps only the message of an Error. */
export interface LoadFailure extends LoadErrorPlace {
  readonly code: LoadErrorCode
  readonly message: string
}

export function toFailure(error: unknown): LoadFailure {
  if (error instanceof LoadError) {
    const { code, message, file, column, rowGroup } = error
    return { code, message, file, column, rowGroup }
  }
  return { code: 'worker', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

export function fromFailure(failure: LoadFailure): LoadError {
  return new LoadError(failure.code, failure.message, failure)
}
