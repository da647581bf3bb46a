/** A float64, uint32, float32 or uint8 array of `length` on a SharedArrayBuffer, zeroed. */
export function sharedFloat64(length: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(length * 8))
}
export function sharedFloat32(length: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(length * 4))
}
export function sharedUint32(length: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(length * 4))
}
export function sharedUint8(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length))
}

interface TypedArrayClass<T> {
  new (...args: never[]): T
}

/** The array itself if it is of the type and shared already, else a copy that is. */
export function onShared<T extends { set(from: ArrayLike<number>): void; buffer: ArrayBufferLike }>(
  from: ArrayLike<number>,
  type: TypedArrayClass<unknown>,
  allocate: (length: number) => T,
): T {
  if (from instanceof type && (from as unknown as T).buffer instanceof SharedArrayBuffer) return from as unknown as T
  const copy = allocate(from.length)
  copy.set(from)
  return copy
}
