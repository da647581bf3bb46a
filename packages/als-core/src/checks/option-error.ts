/** An option that cannot be worked with; the message names it. */
export class OptionError extends RangeError {
  override readonly name: string = 'OptionError'
  readonly code: string = 'BAD_OPTION'
}
