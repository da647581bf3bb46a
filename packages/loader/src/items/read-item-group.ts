import { CHUNK_ROWS, NULL_WORD } from '../ids/keys.ts'
import { readKeys } from '../ids/read-keys.ts'
import { type RowMap, RowMapper } from '../ids/row-map.ts'
import type { ArrowBatch } from '../parquet/arrow-c.ts'
import type { ReadReport, ReadTask } from '../pool/messages.ts'
import { readRowGroup } from '../pool/read-row-group.ts'
import { chunkOf, duringPhase, kernel } from '../pool/worker-memory.ts'
import type { Chunk } from '../rows/chunk.ts'
import { OUTCOMES, Outcome } from '../rows/source-task.ts'

export interface ItemsTask extends ReadTask {
  readonly idColumn: string
  readonly idKind: 'integer' | 'string'
  readonly seed: number
  /** From ids to dense rows; without it every row that has an id is read. */
  readonly map?: RowMap
}

export interface ItemsReport extends ReadReport {
  /** Dense item row of each record; empty without a map. */
  readonly rows: Int32Array
  readonly batches: readonly ItemsBatch[]
}

/** Records as Arrow has them: a fifth of the memory that objects take, which would travel as copies besides. */
export interface ItemsBatch {
  /** An IPC stream of one batch. */
  readonly ipc: Uint8Array
  /** Where in the batch the records are. */
  readonly places: Int32Array
}

/** In a worker: finds the metadata of one row group: the rows whose id is in the map, or that have an id. */
export async function readItemGroup(task: ItemsTask): Promise<ItemsReport> {
  const outcomes = new Float64Array(OUTCOMES)
  const chunk = chunkOf({ userKind: task.idKind, itemKind: task.idKind })
  const { map } = task
  const mapper = map && duringPhase('items', () => new RowMapper(kernel, map))
  const found: number[] = []
  const batches: ItemsBatch[] = []
  const report = await readRowGroup(task, outcomes, (batch, raw) => {
    outcomes[Outcome.rows] += batch.length
    const places = findRows(task, batch, chunk, mapper, found)
    outcomes[Outcome.kept] += places.length
    if (places.length > 0) batches.push({ ipc: raw(), places: Int32Array.from(places) })
  })
  return { ...report, rows: Int32Array.from(found), batches }
}

/** Places in the batch of the ids in the map, whose dense rows go to `found`; without a map those of all ids. */
function findRows(
  { idColumn, seed }: { idColumn: string; seed: number },
  batch: ArrowBatch,
  { items: keys, rows, denseItems }: Chunk,
  mapper: RowMapper | undefined,
  found: number[],
) {
  const column = batch.columns.get(idColumn)!
  const places: number[] = []
  for (let i = 0; i < CHUNK_ROWS; i++) rows[i] = i
  for (let from = 0; from < batch.length; from += CHUNK_ROWS) {
    const n = Math.min(CHUNK_ROWS, batch.length - from)
    readKeys(column, from, n, keys, seed)
    mapper?.map(keys, rows, n, denseItems)
    for (let i = 0; i < n; i++) {
      if (keys.hi[i] >= NULL_WORD || (mapper && denseItems[i] < 0)) continue
      places.push(from + i)
      if (mapper) found.push(denseItems[i])
    }
  }
  return places
}
