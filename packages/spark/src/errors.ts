/** What kind of thing went wrong, for callers that act on it. */
export type SparkErrorCode =
  /** The options cannot be carried out. */
  | 'options'
  /** `spark-submit` is missing, or is not what it should be. */
  | 'spark-submit'
  | 'java'
  | 'version'
  /** Python, or numpy in it, is missing on the driver. */
  | 'python'
  /** Spark lacks the S3A file system. */
  | 's3a'
  /** A source has no files. */
  | 'missing'
  /** A column is missing, or not of a type that can be used. */
  | 'schema'
  | 'ids'
  /** A confidence that Spark would take for a dislike. */
  | 'confidence'
  /** The thresholds leave nothing. */
  | 'empty'
  /** The store refuses the keys. */
  | 'credentials'
  /** The driver or a task ran out of memory. */
  | 'memory'
  /** A disk is full. */
  | 'disk'
  /** Spark ended otherwise than it should: the message has its last lines. */
  | 'failed'

/** Every failure other than an abort. The message says what was found, what was expected and what to try. */
export class SparkError extends Error {
  override readonly name = 'SparkError'
  readonly code: SparkErrorCode
  /** The last lines of spark-submit, where it was running. */
  readonly log: string

  constructor(code: SparkErrorCode, message: string, log = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.log = log
  }
}
