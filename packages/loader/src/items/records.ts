import { DataType, type MapRow, type StructRow, TimeUnit, tableFromIPC, type Vector } from 'apache-arrow'
import type { SchemaElement } from 'hyparquet'
import { columnType, scaleOf } from '../parquet/column-type.ts'
import type { RequestedColumn } from '../parquet/row-group-request.ts'

/** The rows at `places` of an Arrow IPC stream, as plain objects that can be cloned to another thread. */
export function recordsOf(
  ipc: Uint8Array,
  places: readonly number[],
  requested: readonly RequestedColumn[],
): Record<string, unknown>[] {
  const table = tableFromIPC(ipc)
  const columns = requested.map(({ name, depth, schema }, i) => {
    const leaves = schema.filter((element) => !element.num_children)
    const convert = converterOf(table.schema.fields[i].type, leaves)
    return { name, depth, vector: table.getChildAt(i)!, convert }
  })
  return places.map((place) =>
    Object.fromEntries(
      columns.map(({ name, depth, vector, convert }) => [name, inside(convert(vector.get(place)), depth)]),
    ),
  )
}

/** The only field of the structs around a value. */
function inside(value: unknown, depth: number): unknown {
  for (let level = 0; level < depth && value !== null; level++) [value] = Object.values(value as object)
  return value
}

type Convert = (value: unknown) => unknown

/** How values of a type become plain ones; takes what belongs to the type off the leaves of the Parquet schema. */
function converterOf(type: DataType, leaves: SchemaElement[]): Convert {
  const convert = type.children?.length > 0 ? nested(type, leaves) : leaf(type, leaves.shift()!)
  return (value) => (value === null || value === undefined ? null : convert(value))
}

function nested(type: DataType, leaves: SchemaElement[]): Convert {
  if (DataType.isStruct(type)) {
    const fields = type.children.map(({ name, type }) => [name, converterOf(type, leaves)] as const)
    return (row) => {
      // The values by place: names may be those of methods.
      const values = [...(row as StructRow)].map(([, value]) => value)
      return Object.fromEntries(fields.map(([name, convert], i) => [name, convert(values[i])]))
    }
  }
  if (DataType.isMap(type)) {
    const [key, value] = type.children[0].type.children.map((field) => converterOf(field.type, leaves))
    return (row) => Object.fromEntries([...(row as MapRow)].map(([name, inner]) => [String(key(name)), value(inner)]))
  }
  const item = converterOf(type.children[0].type, leaves)
  return (list) => Array.from(list as Vector, item)
}

function leaf(type: DataType, element: SchemaElement): Convert {
  if (DataType.isDecimal(type)) {
    const scale = scaleOf(element)
    return (words) => Number(`${signed(words as Uint32Array)}e${-scale}`)
  }
  if (DataType.isTime(type)) {
    const perMillisecond = {
      [TimeUnit.SECOND]: 1e-3,
      [TimeUnit.MILLISECOND]: 1,
      [TimeUnit.MICROSECOND]: 1e3,
      [TimeUnit.NANOSECOND]: 1e6,
    }[type.unit]
    return (ticks) => Number(ticks) / perMillisecond
  }
  const { kind, name } = columnType(element)
  if (name === 'uuid') return (bytes) => uuid(bytes as Uint8Array)
  if (name === 'binary' && kind === 'string') return (bytes) => textOrBytes(bytes as Uint8Array)
  return (value) => {
    if (typeof value === 'bigint') return isSafe(value) ? Number(value) : value
    return value instanceof Uint8Array ? value.slice() : value
  }
}

function isSafe(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
}

/** A two's complement number of 128 or 256 bits, lowest word first. */
function signed(words: Uint32Array): bigint {
  const value = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
  return BigInt.asIntN(32 * words.length, value)
}

function uuid(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Unannotated bytes are text for some writers and anything for others. */
function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return decoder.decode(bytes)
  } catch {
    return bytes.slice()
  }
}
