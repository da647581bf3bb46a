import { type Struct, tableFromIPC, type Vector } from 'apache-arrow'

/** The rows at `places` of an Arrow IPC stream, as plain objects that can be cloned to another thread. */
export function recordsOf(ipc: Uint8Array, places: readonly number[]): Record<string, unknown>[] {
  const table = tableFromIPC(ipc)
  const columns = table.schema.fields.map((field, i) => [field.name, table.getChildAt(i)!] as const)
  return places.map((place) => Object.fromEntries(columns.map(([name, column]) => [name, plain(column.get(place))])))
}

/** Numbers, strings, booleans, null, and arrays and objects of them; 64-bit integers and moments become numbers. */
function plain(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object') return value
  if (value instanceof Date) return value.getTime()
  if (value instanceof Uint8Array) return value
  if (isVector(value)) return Array.from({ length: value.length }, (_, i) => plain(value.get(i)))
  // A row of a struct hides its methods from `in`.
  const { toJSON } = value as { toJSON?: () => Record<string, unknown> }
  if (typeof toJSON === 'function') {
    const fields = Object.entries(toJSON.call(value))
    return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]))
  }
  return value
}

function isVector(value: object): value is Vector<Struct> {
  return 'length' in value && 'get' in value
}
