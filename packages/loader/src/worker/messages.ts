import type { CompressedRows } from '@seesaw/als-core'
import type { LoadFailure } from '../errors.ts'
import type { RowMap } from '../ids/active-ids.ts'
import type { IdCounts, IdRange } from '../ids/id-counts.ts'
import type { Buckets } from '../matrix/buckets.ts'
import type { Merge } from '../matrix/merge-rows.ts'
import type { ScatterArea } from '../matrix/scatter-area.ts'
import type { Transposition } from '../matrix/transpose.ts'
import type { RowGroupRequest } from '../parquet/decoder.ts'
import type { SourceTask } from '../rows/source-task.ts'
import type { SpillFolder } from '../spill/spill-files.ts'
import type { StoredFile } from '../storage/byte-source.ts'
import type { S3Connection } from '../storage/connection.ts'

/** Given to every worker when it starts. */
export interface WorkerSetup {
  readonly module: WebAssembly.Module
  /** [0] numbers the workers; [1 + worker] is 1 + the id of the row group it is decoding, 0 when none. */
  readonly announcements: Int32Array<SharedArrayBuffer>
}

/** What reading a row group needs. */
export interface ReadTask {
  readonly id: number
  readonly file: StoredFile
  readonly request: RowGroupRequest
  readonly connection?: S3Connection
}

/** What both passes need to read a row group. */
export interface SourceRows extends ReadTask {
  readonly source: SourceTask
  /** Values of the codes; absent when the matrix holds codes. */
  readonly codebook?: Float32Array<SharedArrayBuffer>
}

/** Pass 1: counts the rows of a row group by user and by item. */
export interface CountTask extends SourceRows {
  readonly kind: 'count'
  readonly users: IdRange
  readonly items: IdRange
}

/** Pass 2: puts the rows of a row group with active users and items into the scatter area. */
export interface ScatterTask extends SourceRows {
  readonly kind: 'scatter'
  readonly users: RowMap
  readonly items: RowMap
  readonly buckets: Buckets
  readonly area: ScatterArea
}

/** The same with temporary files in place of the scatter area. */
export interface SpillTask extends SourceRows {
  readonly kind: 'spill'
  readonly users: RowMap
  readonly items: RowMap
  readonly buckets: Buckets
  readonly spill: SpillFolder
  readonly stageRows: number
}

/** Sorts and merges buckets [from, to). */
export interface MergeTask {
  readonly kind: 'merge'
  readonly buckets: Buckets
  readonly area: ScatterArea
  readonly lengths: Uint32Array<SharedArrayBuffer>
  readonly items: number
  readonly merge: Merge
  readonly from: number
  readonly to: number
}

/** Sorts and merges the rows of a bucket from temporary files into another. */
export interface MergeSpilledTask {
  readonly kind: 'mergeSpilled'
  readonly buckets: Buckets
  readonly spill: SpillFolder
  readonly lengths: Uint32Array<SharedArrayBuffer>
  readonly items: number
  readonly merge: Merge
  readonly bucket: number
  readonly workers: number
}

/** Reads the merged entries of a bucket to their place in the CSR. */
export interface PlaceSpilledTask {
  readonly kind: 'placeSpilled'
  readonly spill: SpillFolder
  readonly csr: CompressedRows
  readonly starts: Float64Array<SharedArrayBuffer>
  readonly bucket: number
}

/** One step of the transposition over shards or buckets [from, to). */
export interface TransposeTask {
  readonly kind: 'countShards' | 'moveShards' | 'sortItems'
  readonly work: Transposition
  readonly starts?: Float64Array<SharedArrayBuffer>
  readonly from: number
  readonly to: number
}

/** Reads item metadata; the answer holds one record for each row whose id is in the map. */
export interface ItemsTask extends ReadTask {
  readonly kind: 'items'
  readonly idColumn: string
  readonly idKind: 'integer' | 'string'
  readonly seed: number
  readonly map: RowMap
}

export type Task =
  | CountTask
  | ScatterTask
  | SpillTask
  | MergeTask
  | MergeSpilledTask
  | PlaceSpilledTask
  | TransposeTask
  | ItemsTask

export interface ReadReport {
  readonly worker: number
  readonly bytes: number
  readonly retries: number
  readonly outcomes: Float64Array
  readonly spilledBytes?: number
}

export interface CountReport extends ReadReport {
  readonly users: IdCounts
  readonly items: IdCounts
}

/** Entries of each bucket merged. */
export interface MergeReport {
  readonly entries: Float64Array
  readonly spilledBytes?: number
}

export interface ItemsReport extends ReadReport {
  /** Dense item row of each record. */
  readonly rows: Int32Array
  readonly records: Record<string, unknown>[]
}

export type Reply<T> = { readonly result: T } | { readonly failure: LoadFailure }
