import {
  type Data,
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Uint32,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { ArrowFile } from './arrow-file.ts'

/** Some rows of the users, of the items or of the features of a model, in their order. */
export interface SideBatch {
  /** Without them rows are numbered. Either all batches of a side have ids or none has, and all of one kind. */
  readonly ids?: { readonly length: number; at(row: number): number | bigint | string | undefined } | undefined
  /** rows × factors, row-major. */
  readonly data: Float32Array
  /**
   * Of items: interactions in the data, and what popularityExponent multiplied the values by. Of features: the items that have
   * each. In all batches or in none.
   */
  readonly numbers?: {
    readonly item_count?: ArrayLike<number> | undefined
    readonly interaction_count?: ArrayLike<number> | undefined
    readonly weight?: ArrayLike<number> | undefined
  }
}

/** Rows of a record batch: at most this many, and at most about 32 MB of vectors. */
const BATCH_ROWS = 65_536

/** Writes one Arrow IPC file of a model, a batch at a time. `name` is for messages. */
export async function writeSide(
  path: string,
  name: string,
  factors: number,
  batches: Iterable<SideBatch> | AsyncIterable<SideBatch>,
): Promise<{ rows: number; bytes: number; ids: boolean }> {
  const vectorType = new FixedSizeList(factors, new Field('item', new Float32(), false))
  const batchRows = Math.max(1, Math.min(BATCH_ROWS, Math.floor((32 * 2 ** 20) / (factors * 4))))
  const { bytes, result } = await ArrowFile.create(path, async (file) => {
    let shape: Shape | undefined
    let empty: Shape | undefined
    let schema: Schema | undefined
    let rows = 0
    for await (const batch of batches) {
      checkBatch(name, batch, factors, rows)
      const count = batch.data.length / factors
      // A batch without rows tells whether there are ids, and not of which kind.
      if (count === 0) {
        empty ??= shapeOf(batch)
        continue
      }
      shape ??= shapeOf(batch)
      checkShape(name, batch, shape, rows)
      schema ??= schemaOf(shape, vectorType)
      for (let first = 0; first < count; first += batchRows) {
        const length = Math.min(batchRows, count - first)
        const children = [
          idData(name, batch, shape, first, length, rows),
          vectorData(vectorType, batch.data, factors, first, length),
          ...(shape.counts
            ? [numberData(new Uint32(), Uint32Array, batch.numbers![shape.counts]!, first, length)]
            : []),
          ...(shape.weights ? [numberData(new Float32(), Float32Array, batch.numbers!.weight!, first, length)] : []),
        ]
        const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children })
        await file.write(new RecordBatch(schema, data), 4 * length * factors)
      }
      rows += count
    }
    shape ??= empty ?? { ids: undefined, counts: undefined, weights: false }
    file.begin(schema ?? schemaOf(shape, vectorType))
    return { rows, ids: shape.ids !== undefined }
  })
  return { ...result, bytes }
}

/** What all batches of a side have alike. */
interface Shape {
  readonly ids: 'string' | 'integer' | undefined
  readonly counts: 'interaction_count' | 'item_count' | undefined
  readonly weights: boolean
}

function shapeOf({ ids, numbers }: SideBatch): Shape {
  return {
    ids: ids === undefined ? undefined : typeof ids.at(0) === 'string' ? 'string' : 'integer',
    counts: (['interaction_count', 'item_count'] as const).find((name) => numbers?.[name] !== undefined),
    weights: numbers?.weight !== undefined,
  }
}

function schemaOf({ ids, counts, weights }: Shape, vectorType: DataType): Schema {
  const fields: Field<DataType>[] = [
    new Field('id', ids === 'string' ? new Utf8() : new Int64(), false),
    new Field('vector', vectorType, false),
  ]
  if (counts) fields.push(new Field(counts, new Uint32(), false))
  if (weights) fields.push(new Field('weight', new Float32(), false))
  return new Schema(fields)
}

function checkBatch(name: string, { ids, data }: SideBatch, factors: number, firstRow: number): void {
  if (data.length % factors !== 0 || (ids !== undefined && ids.length * factors !== data.length)) {
    const expected = ids === undefined ? `a multiple of ${factors}` : `${ids.length} ids × ${factors} factors`
    throw new RangeError(
      `${name}: the batch from row ${firstRow} on has ${data.length} values, expected ${expected}. The model was not saved.`,
    )
  }
  const wrong = data.findIndex((value) => !Number.isFinite(value))
  if (wrong < 0) return
  throw new RangeError(
    `${name}: row ${firstRow + Math.floor(wrong / factors)} holds ${data[wrong]}, expected finite numbers. The model was not saved.`,
  )
}

function checkShape(name: string, batch: SideBatch, expected: Shape, firstRow: number): void {
  const found = shapeOf(batch)
  for (const key of ['ids', 'counts', 'weights'] as const) {
    if (found[key] === expected[key]) continue
    throw new TypeError(
      `${name}: the batch from row ${firstRow} on has ${key} ${found[key] ?? 'none'}, expected ${expected[key] ?? 'none'}, as in the first one. The model was not saved.`,
    )
  }
}

function idData(name: string, { ids }: SideBatch, shape: Shape, first: number, length: number, firstRow: number): Data {
  if (shape.ids === 'string') {
    const strings = Array.from({ length }, (_, r) => String(ids!.at(first + r)))
    return vectorFromArray(strings, new Utf8()).data[0]
  }
  const numbers = BigInt64Array.from({ length }, (_, r) => {
    const row = firstRow + first + r
    const id = ids ? (ids.at(first + r) as number | bigint) : row
    if (Number.isSafeInteger(Number(id))) return BigInt(id)
    throw new RangeError(
      `${name}: row ${row} has the id ${id}, expected an integer below 2^53 or a string. The model was not saved.`,
    )
  })
  return makeData({ type: new Int64(), length, nullCount: 0, data: numbers })
}

function vectorData(type: FixedSizeList, data: Float32Array, factors: number, first: number, length: number): Data {
  const values = data.slice(first * factors, (first + length) * factors)
  const child = makeData({ type: new Float32(), length: length * factors, nullCount: 0, data: values })
  return makeData({ type, length, nullCount: 0, child })
}

function numberData(
  type: Uint32 | Float32,
  array: Uint32ArrayConstructor | Float32ArrayConstructor,
  values: ArrayLike<number>,
  first: number,
  length: number,
): Data {
  const data = new array(length)
  for (let i = 0; i < length; i++) data[i] = values[first + i]
  return makeData({ type, length, nullCount: 0, data } as never)
}
