import { open } from 'node:fs/promises'
import {
  type Data,
  type DataType,
  Field,
  Float32,
  List,
  makeData,
  RecordBatch,
  RecordBatchReader,
  Schema,
  Struct,
  Uint8,
  Uint32,
} from 'apache-arrow'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import { matrixOfRows } from '../matrix/matrix-of-rows.ts'
import { sharedFloat32, sharedFloat64, sharedUint8, sharedUint32 } from '../pool/shared-arrays.ts'
import { ArrowFile } from './arrow-file.ts'
import { type InteractionsFile, ModelFormatError } from './manifest.ts'

/** Entries of a record batch: one user's may be more. */
const BATCH_ENTRIES = 2 ** 22
const BATCH_USERS = 2 ** 18

/**
 * Writes what users have as an Arrow file, a row for each user: `items`, the rows of their items in ascending order, and
 * `values`, of the same length. Where there are at most 256 distinct values, they are codes of one byte and the
 * manifest has the codebook: 5 bytes per entry and 8 per user.
 */
export async function writeInteractions(
  path: string,
  { users, csr, codebook }: InteractionMatrix,
): Promise<{ bytes: number; codebook?: number[] }> {
  const value = codebook ? new Uint8() : new Float32()
  const listOf = (type: DataType) => new List(new Field('item', type, false))
  const schema = new Schema([
    new Field('items', listOf(new Uint32()), false),
    new Field('values', listOf(value), false),
  ])
  const { bytes } = await ArrowFile.create(path, async (file) => {
    file.begin(schema)
    for (let first = 0; first < users; ) {
      let end = first + 1
      while (end < users && end < first + BATCH_USERS && csr.indptr[end + 1] - csr.indptr[first] <= BATCH_ENTRIES) end++
      const [from, to] = [csr.indptr[first], csr.indptr[end]]
      const valueOffsets = Int32Array.from(csr.indptr.subarray(first, end + 1), (offset) => offset - from)
      const list = (type: DataType, values: Numbers): Data => {
        const child = makeData({ type, length: to - from, nullCount: 0, data: values.slice(from, to) } as never)
        return makeData({ type: listOf(type), length: end - first, nullCount: 0, valueOffsets, child } as never)
      }
      const children = [list(new Uint32(), csr.indices), list(value, csr.values)]
      const data = makeData({ type: new Struct(schema.fields), length: end - first, nullCount: 0, children })
      await file.write(new RecordBatch(schema, data), (4 + csr.values.BYTES_PER_ELEMENT) * (to - from))
      first = end
    }
  })
  return { bytes, ...(codebook && { codebook: [...codebook] }) }
}

type Numbers = Uint32Array | Float32Array | Uint8Array

/** Reads them, the entries checked. @throws ModelFormatError */
export async function readInteractions(
  path: string,
  { entries, codebook: given }: InteractionsFile,
  users: number,
  items: number,
): Promise<InteractionMatrix> {
  const codebook = given && sharedFloat32(given.length)
  codebook?.set(given!)
  const csr = {
    indptr: sharedFloat64(users + 1),
    indices: sharedUint32(entries),
    values: codebook ? sharedUint8(entries) : sharedFloat32(entries),
  }
  let row = 0
  let entry = 0
  const file = await open(path)
  try {
    for await (const batch of await RecordBatchReader.from(file)) {
      const rows = listsOf(batch, 'items')
      const values = listsOf(batch, 'values')
      const [from, to] = [rows.offsets[0], rows.offsets[batch.numRows]]
      if (row + batch.numRows > users || entry + to - from > entries)
        fail('more rows or entries than the manifest says')
      csr.indices.set(rows.values.subarray(from, to), entry)
      csr.values.set(values.values.subarray(values.offsets[0], values.offsets[batch.numRows]), entry)
      for (let r = 1; r <= batch.numRows; r++) csr.indptr[row + r] = entry + rows.offsets[r] - from
      checkRows(row, row + batch.numRows)
      row += batch.numRows
      entry += to - from
    }
  } catch (error) {
    if (error instanceof ModelFormatError) throw error
    fail(`what cannot be read as Arrow (${(error as Error).message})`)
  } finally {
    await file.close()
  }
  if (row !== users || entry !== entries) fail(`${row} users and ${entry} entries, expected ${users} and ${entries}`)
  return matrixOfRows(users, items, csr, codebook)

  function listsOf(batch: RecordBatch, name: string): { offsets: Int32Array; values: Numbers } {
    const data = batch.getChild(name)?.data[0]
    const type = name === 'items' ? Uint32Array : codebook ? Uint8Array : Float32Array
    if (!(data?.children[0]?.values instanceof type)) fail(`no column "${name}" of lists of ${type.name}`)
    return { offsets: data!.valueOffsets, values: data!.children[0].values }
  }

  function checkRows(from: number, to: number): void {
    const codes = codebook?.length
    for (let user = from; user < to; user++) {
      let previous = -1
      for (let e = csr.indptr[user]; e < csr.indptr[user + 1]; e++) {
        const value = csr.values[e]
        const usable = codes === undefined ? Math.abs(value) < Infinity && value !== 0 : value < codes
        if (!(csr.indices[e] > previous && csr.indices[e] < items && usable)) {
          fail(
            `the entry ${csr.indices[e]} of value ${value} in row ${user}, expected ascending rows of ${items} items`,
          )
        }
        previous = csr.indices[e]
      }
    }
  }

  function fail(what: string): never {
    throw new ModelFormatError(`${path} has ${what}. Save the model again.`)
  }
}
