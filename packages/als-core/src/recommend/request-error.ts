import { OptionError } from '../checks/option-error.ts'

/** Why a question has no answer, for a caller that turns it into a status of its own. */
export type RequestErrorCode = 'UNKNOWN_USER' | 'UNKNOWN_ITEM' | 'BAD_LIMIT'

/** A question about somebody or something the model does not know, or for a list that cannot be; `code` says which. */
export class RequestError extends OptionError {
  override readonly name = 'RequestError'
  override readonly code: RequestErrorCode

  constructor(code: RequestErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
