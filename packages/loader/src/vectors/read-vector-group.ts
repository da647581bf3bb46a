import type { IdKind } from '../ids/keys.ts'
import type { ReadReport, ReadTask } from '../pool/messages.ts'
import { readRowGroup } from '../pool/read-row-group.ts'
import { readNumbers } from '../rows/numbers.ts'
import { OUTCOMES } from '../rows/source-task.ts'
import { type GroupIds, IdCollector } from './id-collector.ts'
import { copyVectors } from './vector-column.ts'

export interface VectorsTask extends ReadTask {
  readonly idColumn: string
  readonly idKind: IdKind
  readonly vectorColumn: string
  readonly numberColumns: readonly string[]
  readonly dimension: number
  /** Where the vectors go: rows × dimension values or more. */
  readonly data: Float32Array<SharedArrayBuffer>
}

export interface VectorsReport extends ReadReport {
  readonly ids: GroupIds
  /** One array for each of `numberColumns`. */
  readonly numbers: Float64Array[]
}

/** In a worker: ids and vectors of one row group. */
export async function readVectorGroup(task: VectorsTask): Promise<VectorsReport> {
  const { idColumn, idKind, vectorColumn, numberColumns, dimension, data, request } = task
  const numbers = numberColumns.map(() => new Float64Array(request.rows))
  const ids = new IdCollector(idKind, request.rows)
  let rows = 0
  const report = await readRowGroup(task, new Float64Array(OUTCOMES), (batch) => {
    ids.add(batch.columns.get(idColumn)!)
    copyVectors(batch.columns.get(vectorColumn)!, dimension, data, rows)
    for (const [i, name] of numberColumns.entries())
      readNumbers(batch.columns.get(name)!, 0, batch.length, numbers[i].subarray(rows))
    rows += batch.length
  })
  return { ...report, ids: ids.finish(), numbers }
}
