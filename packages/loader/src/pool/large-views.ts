/**
 * What stands for a typed array of 4 GiB or more in a task, which would not survive the way to a worker: V8 writes its length in
 * 32 bits, and 2^30 + 100 words arrive as 100 (Node.js 24; the SharedArrayBuffer arrives whole).
 */
interface LargeView {
  readonly largeView: string
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
  readonly length: number
}

type ViewType = new (buffer: SharedArrayBuffer, byteOffset: number, length: number) => ArrayBufferView
const types: Record<string, ViewType> = { Uint8Array, Uint16Array, Uint32Array, Float32Array, Float64Array }

/** The task with its typed arrays of 4 GiB and more replaced, at any depth of plain objects. */
export function packLargeViews<T>(task: T): T {
  return replace(task, (value) => {
    if (!ArrayBuffer.isView(value) || value.byteLength < 2 ** 32) return value
    const { buffer, byteOffset, length } = value as Uint32Array
    return { largeView: value.constructor.name, buffer, byteOffset, length }
  }) as T
}

/** The task that `packLargeViews` was given. */
export function unpackLargeViews<T>(task: T): T {
  return replace(task, (value) => {
    if (!isPlain(value) || !('largeView' in value)) return value
    const { largeView, buffer, byteOffset, length } = value as unknown as LargeView
    return new types[largeView](buffer, byteOffset, length)
  }) as T
}

function replace(value: unknown, change: (value: unknown) => unknown): unknown {
  const changed = change(value)
  if (changed !== value || !isPlain(value)) return changed
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replace(inner, change)]))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
