import type { LoadFailure } from '../errors.ts'
import type { RowGroupRequest } from '../parquet/row-group-request.ts'
import type { FixedValues, SourceTask } from '../rows/source-task.ts'
import type { StoredFile } from '../storage/byte-source.ts'
import type { S3Connection } from '../storage/connection.ts'
import type { KeptRanges } from '../storage/kept-ranges.ts'

/** Given to every worker when it starts. */
export interface WorkerSetup {
  /** A WebAssembly.Module; a program that is checked without TypeScript's `dom` library has no such name. */
  readonly module: object
  /** [0] numbers the workers; [1 + worker] is 1 + the id of the row group it is decoding, 0 when none. */
  readonly announcements: Int32Array<SharedArrayBuffer>
  /** Whether anything is read from S3. */
  readonly remote: boolean
}

/** A call of one of the functions in `worker.ts`, by its name. */
export interface Call {
  readonly task: string
  readonly message: unknown
}

/** Errors travel as data, because only their message would survive structured cloning. */
export type Reply<T> = { readonly result: T } | { readonly failure: LoadFailure }

/** What reading a row group needs. */
export interface ReadTask {
  readonly id: number
  readonly file: StoredFile
  readonly request: RowGroupRequest
  readonly connection?: S3Connection
  /** Where what is fetched goes besides, or where it is read from instead. */
  readonly kept?: KeptRanges & { readonly filled: boolean }
}

/** What both passes need to read a row group. */
export interface SourceRows extends ReadTask {
  readonly source: SourceTask
  readonly fixed: FixedValues
  /** Values of the codebook codes; absent when the matrix holds codes. */
  readonly codebook?: Float32Array<SharedArrayBuffer>
}

export interface ReadReport {
  readonly worker: number
  readonly bytes: number
  /** Whether the bytes were read from where they had been kept. */
  readonly fromKept: boolean
  /** Whether they are kept now. */
  readonly kept: boolean
  readonly retries: number
  readonly outcomes: Float64Array
  readonly spilledBytes?: number
}
