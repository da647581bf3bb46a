import type { FoundColumn } from '../parquet/find-column.ts'
import type { Footer } from '../parquet/footer.ts'
import { type RowGroupRequest, rowGroupRequest } from '../parquet/row-group-request.ts'
import type { FixedValues } from '../rows/source-task.ts'
import type { StoredFile } from '../storage/byte-source.ts'

/** One row group to read in both passes. */
export interface RowGroupJob {
  readonly source: number
  readonly file: StoredFile
  readonly request: RowGroupRequest
  readonly fixed: FixedValues
  readonly bytes: number
  /** True for the last row group of its file, so that files can be counted. */
  readonly last: boolean
}

/** The row groups of a file that have rows, each with the byte ranges of the needed columns. */
export function rowGroupJobs(
  source: number,
  file: StoredFile,
  footer: Footer,
  columns: readonly FoundColumn[],
  fixed: FixedValues = {},
): RowGroupJob[] {
  const filled = filledGroups(footer)
  return filled.map((group, i) => {
    const request = rowGroupRequest(file, group, footer.rowGroups[group], columns)
    const bytes = request.ranges.reduce((sum, [start, end]) => sum + end - start, 0)
    return { source, file, request, fixed, bytes, last: i === filled.length - 1 }
  })
}

export function filledGroups({ rowGroups }: Footer): number[] {
  return [...rowGroups.keys()].filter((group) => rowGroups[group].rows > 0)
}
