import { type Data, DataType, TimeUnit, tableFromIPC, Vector } from 'apache-arrow'
import type { SchemaElement } from 'hyparquet'
import { columnType, scaleOf } from '../parquet/column-type.ts'
import type { RequestedColumn } from '../parquet/row-group-request.ts'

/** The rows at `places` of an Arrow IPC stream of one batch, as plain objects, one at a time. */
export function* recordsOf(
  ipc: Uint8Array,
  places: Iterable<number>,
  requested: readonly RequestedColumn[],
): Generator<Record<string, unknown>, void, undefined> {
  const [batch] = tableFromIPC(ipc).batches
  const columns = requested.map(({ name, depth, schema }, i) => {
    const leaves = schema.filter((element) => !element.num_children)
    return { name, depth, read: readerOf(batch.data.children[i], leaves) }
  })
  for (const place of places) {
    yield Object.fromEntries(columns.map(({ name, depth, read }) => [name, inside(read(place), depth)]))
  }
}

/** The only field of the structs around a value. */
function inside(value: unknown, depth: number): unknown {
  for (let level = 0; level < depth && value !== null; level++) [value] = Object.values(value as object)
  return value
}

/** The value at a place of a column, null where there is none. */
type Reader = (place: number) => unknown

/**
 * Reads values straight from the arrays of a column: Arrow's own lists and structs are views, three objects for each value.
 * Takes what belongs to it off the leaves of the Parquet schema.
 */
function readerOf(data: Data, leaves: SchemaElement[]): Reader {
  const read = data.type.children?.length > 0 ? nested(data, leaves) : leafReader(data, leaves.shift()!)
  return (place) => (data.getValid(place) ? read(place) : null)
}

function nested(data: Data, leaves: SchemaElement[]): Reader {
  const { type } = data
  if (DataType.isStruct(type)) {
    const fields = type.children.map(({ name }, i) => [name, readerOf(data.children[i], leaves)] as const)
    return (place) => Object.fromEntries(fields.map(([name, read]) => [name, read(place)]))
  }
  const [start, end] = bounds(data)
  if (DataType.isMap(type)) {
    const [key, value] = data.children[0].children.map((child) => readerOf(child, leaves))
    return (place) => Object.fromEntries(spread(start(place), end(place), (at) => [String(key(at)), value(at)]))
  }
  const item = readerOf(data.children[0], leaves)
  return (place) => spread(start(place), end(place), item)
}

/** Where the values of a list begin and end among those of all lists. */
function bounds({ type, valueOffsets }: Data): [start: Bound, end: Bound] {
  if (DataType.isFixedSizeList(type)) return [(place) => place * type.listSize, (place) => (place + 1) * type.listSize]
  return [(place) => Number(valueOffsets[place]), (place) => Number(valueOffsets[place + 1])]
}

type Bound = (place: number) => number

function spread<T>(start: number, end: number, read: (at: number) => T): T[] {
  const values: T[] = []
  for (let at = start; at < end; at++) values.push(read(at))
  return values
}

function leafReader(data: Data, element: SchemaElement): Reader {
  const vector = new Vector([data])
  const convert = leaf(data.type, element)
  return (place) => convert(vector.get(place))
}

/** How values of a type become plain ones. */
function leaf(type: DataType, element: SchemaElement): (value: unknown) => unknown {
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
