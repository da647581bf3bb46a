/**
 * The .npy format of NumPy, versions 1 to 3 (NEP 1): a magic string, a header that is a Python dictionary, the values in
 * row-major little-endian order.
 */
export interface NpyArray {
  /** NumPy's name of the type, such as '<f4', '<i8', '|b1', '<U7'. */
  readonly descr: string
  readonly shape: readonly number[]
  /** Numbers, or the strings of a '<U' or '|S' array. */
  readonly values: NpyNumbers | string[]
}

const TYPES = {
  '<f4': Float32Array,
  '<f8': Float64Array,
  '|b1': Uint8Array,
  '|i1': Int8Array,
  '<i2': Int16Array,
  '<i4': Int32Array,
  '<i8': BigInt64Array,
  '|u1': Uint8Array,
  '<u2': Uint16Array,
  '<u4': Uint32Array,
  '<u8': BigUint64Array,
} as const

export type NpyNumbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array

/** Reads an array. @throws Error saying what is not supported. */
export function readNpy(bytes: Uint8Array): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12 || view.getUint32(0) !== 0x934e554d || view.getUint16(4) !== 0x5059) {
    throw new Error('it does not begin like a .npy array')
  }
  const wide = bytes[6] > 1
  const start = wide ? 12 : 10
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true))
  const header = new TextDecoder().decode(bytes.subarray(start, end))
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? ''
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((part) => part.trim())
    .map(Number)
  if (/'fortran_order':\s*True/.test(header) && shape.length > 1)
    throw new Error('it is in column-major (Fortran) order; save it with np.ascontiguousarray')
  const count = shape.reduce((product, length) => product * length, 1)
  const size = sizeOf(descr)
  const data = bytes.subarray(end)
  if (data.length < count * size) {
    throw new Error(`it has ${data.length} bytes, expected ${count * size} for shape (${shape.join(', ')}) of ${descr}`)
  }
  return { descr, shape, values: decode(descr, new Uint8Array(data.subarray(0, count * size)), count) }
}

/** The header and the values of an array; the second is a view of `values`, not a copy, unless they are strings. */
export function writeNpy({ descr, shape, values }: NpyArray): [Uint8Array, Uint8Array] {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`
  // The data begins at a multiple of 64.
  const length = Math.ceil((dictionary.length + 11) / 64) * 64 - 10
  const header = new Uint8Array(10 + length)
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8])
  header.set(new TextEncoder().encode(`${dictionary.padEnd(length - 1)}\n`), 10)
  const flat = Array.isArray(values) ? encodeStrings(values, sizeOf(descr) / 4) : values
  return [header, new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength)]
}

function sizeOf(descr: string): number {
  if (descr in TYPES) return TYPES[descr as keyof typeof TYPES].BYTES_PER_ELEMENT
  const [, kind, width] = /^([<|][US])(\d+)$/.exec(descr) ?? []
  if (kind === '<U') return 4 * Number(width)
  if (kind === '|S') return Number(width)
  throw new Error(
    `its type is '${descr}', expected one of ${Object.keys(TYPES).join(', ')}, <U, |S; save it with .astype(np.float32)`,
  )
}

/** `data` is a copy of its own: aligned. */
function decode(descr: string, data: Uint8Array, count: number): NpyArray['values'] {
  if (descr in TYPES) return new TYPES[descr as keyof typeof TYPES](data.buffer as ArrayBuffer)
  const isText = descr.startsWith('<U')
  const points = isText ? new Uint32Array(data.buffer) : data
  const width = points.length / Math.max(1, count)
  return Array.from({ length: count }, (_, at) =>
    String.fromCodePoint(...points.subarray(at * width, (at + 1) * width)).replace(/\0+$/, ''),
  )
}

/** Strings as UTF-32, padded with zeros. */
function encodeStrings(strings: string[], width: number): Uint32Array {
  const points = new Uint32Array(strings.length * width)
  strings.forEach((string, at) => {
    points.set(Array.from(string, (character) => character.codePointAt(0)!).slice(0, width), at * width)
  })
  return points
}
