import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import {
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Uint32,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import type { IdColumn } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from './als-model.ts'
import { FORMAT, MANIFEST, type Manifest, type ModelFile, VERSION } from './manifest.ts'
import { replaceFiles } from './replace-files.ts'

/** Rows of a record batch: at most this many, and at most about 32 MB of vectors. */
const BATCH_ROWS = 65_536

/**
 * Writes a model to a directory, which is made if it is missing: `users-*.arrow` and `items-*.arrow` (Arrow IPC files with
 * columns id, vector and, for items, interaction_count and, where values were weighted by popularity, weight) and `manifest.json`. The manifest is put in place last, by one
 * rename: a reader finds the old model or the new one, never a half. Files of the model before are then deleted. Of two runs
 * that save at the same time, the directory holds the model of the one that ends last.
 */
export async function saveModel(model: AlsModel, directory: string): Promise<void> {
  const { factors, userFactors, itemFactors, userIds, itemIds, interactionCounts, itemWeights } = model
  const { popularityWeights, options, userRegularization, history } = model
  checkFinite('userFactors', userFactors, factors)
  checkFinite('itemFactors', itemFactors, factors)
  await replaceFiles(directory, MANIFEST, async (name): Promise<Manifest> => {
    const write = async (
      side: 'users' | 'items',
      columns: Omit<SideColumns, 'rows' | 'factors'>,
    ): Promise<ModelFile> => {
      const file = name(side, 'arrow')
      const bytes = await writeSide(join(directory, file), { rows: model[side], factors, ...columns })
      return { name: file, rows: model[side], bytes, ids: columns.ids !== undefined }
    }
    const users = await write('users', { values: userFactors, ids: userIds })
    const items = await write('items', {
      values: itemFactors,
      ids: itemIds,
      counts: interactionCounts,
      weights: itemWeights,
    })
    return {
      format: FORMAT,
      version: VERSION,
      factors,
      users,
      items,
      popularityWeights,
      options,
      userRegularization,
      history,
    }
  })
}

function checkFinite(name: string, values: Float32Array, factors: number): void {
  const wrong = values.findIndex((value) => !Number.isFinite(value))
  if (wrong < 0) return
  throw new RangeError(
    `${name}: row ${Math.floor(wrong / factors)} holds ${values[wrong]}, expected finite numbers. The model was not saved.`,
  )
}

interface SideColumns {
  readonly rows: number
  readonly factors: number
  readonly values: Float32Array
  readonly ids?: IdColumn
  readonly counts?: Uint32Array
  readonly weights?: Float32Array
}

/** Writes one Arrow IPC file, a batch at a time; returns its size in bytes. */
async function writeSide(path: string, columns: SideColumns): Promise<number> {
  const { rows, factors, values, ids, counts, weights } = columns
  const idType = typeof ids?.at(0) === 'string' ? new Utf8() : new Int64()
  const vectorType = new FixedSizeList(factors, new Field('item', new Float32(), false))
  const fields: Field<DataType>[] = [new Field('id', idType, false), new Field('vector', vectorType, false)]
  if (counts) fields.push(new Field('interaction_count', new Uint32(), false))
  if (weights) fields.push(new Field('weight', new Float32(), false))
  const schema = new Schema(fields)
  const batchRows = Math.max(1, Math.min(BATCH_ROWS, Math.floor((32 * 2 ** 20) / (factors * 4))))

  const file = await open(path, 'wx')
  const writer = new RecordBatchFileWriter()
  writer.reset(undefined, schema)
  // The writer queues chunks as batches are written; at most two batches wait.
  let queued = 0
  let written = 0
  const chunks = writer[Symbol.asyncIterator]()
  const drained = (async () => {
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      await file.writeFile(next.value)
      written += next.value.byteLength
    }
  })()
  // Awaited below; until then a failure must not count as unhandled.
  let failed = false
  drained.catch(() => {
    failed = true
  })
  try {
    for (let first = 0; first < rows; first += batchRows) {
      const length = Math.min(batchRows, rows - first)
      const children = [
        idData(ids, idType, first, length),
        makeData({
          type: vectorType,
          length,
          nullCount: 0,
          child: makeData({
            type: new Float32(),
            length: length * factors,
            nullCount: 0,
            data: values.slice(first * factors, (first + length) * factors),
          }),
        }),
        ...(counts
          ? [makeData({ type: new Uint32(), length, nullCount: 0, data: counts.slice(first, first + length) })]
          : []),
        ...(weights
          ? [makeData({ type: new Float32(), length, nullCount: 0, data: weights.slice(first, first + length) })]
          : []),
      ]
      const data = makeData({ type: new Struct(fields), length, nullCount: 0, children })
      writer.write(new RecordBatch(schema, data))
      queued += 4 * length * factors
      while (queued - written > 8 * batchRows * factors && !failed) await setTimeout(1)
    }
    writer.finish()
    await drained
    await file.sync()
    return (await file.stat()).size
  } catch (error) {
    writer.abort(error)
    await drained.catch(() => {})
    throw error
  } finally {
    await file.close()
  }
}

function idData(ids: IdColumn | undefined, type: DataType, first: number, length: number) {
  if (type instanceof Utf8) {
    const strings = Array.from({ length }, (_, r) => String(ids!.at(first + r)))
    return vectorFromArray(strings, new Utf8()).data[0]
  }
  const numbers = BigInt64Array.from({ length }, (_, r) => BigInt(ids ? (ids.at(first + r) as number) : first + r))
  return makeData({ type: new Int64(), length, nullCount: 0, data: numbers })
}
