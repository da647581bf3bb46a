import { ServerError } from './server/errors.ts'

/** What a caller can act on: which step failed, on which collection, which rows, and whether trying again can help. */
export class PublishError extends Error {
  override readonly name: string = 'PublishError'
  /** The step of the publication: `preflight`, `create`, `index`, `upload`, `restore`, `ready`, `verify`, `swap`, `clean`. */
  readonly step: string
  readonly collection: string | undefined
  /** Rows of the input the failed batch held, first included, last excluded. */
  readonly rows: { from: number; to: number } | undefined
  /** True when the same input may succeed later (the server was unreachable or overloaded): the unfinished collection stays and the next run resumes it. */
  readonly temporary: boolean

  constructor(message: string, details: PublishErrorDetails) {
    super(message, { cause: details.cause })
    this.step = details.step
    this.collection = details.collection
    this.rows = details.rows
    this.temporary = details.temporary ?? false
  }
}

/** Another publisher moved the alias after this run had begun: its generation serves, ours was deleted. */
export class SupersededError extends PublishError {
  override readonly name: string = 'SupersededError'
}

export interface PublishErrorDetails {
  step: string
  collection?: string
  rows?: { from: number; to: number }
  temporary?: boolean
  cause?: unknown
}

/** Names the step and the collection in an error of the server or of the connection; aborts and other errors stay what they are. */
export function stepFailed(
  step: string,
  collection: string,
  error: unknown,
  what: string = `The step "${step}" on ${collection}`,
): unknown {
  if (!(error instanceof ServerError)) return error
  return new PublishError(`${what} failed. ${error.message}`, {
    step,
    collection,
    temporary: error.temporary,
    cause: error,
  })
}
