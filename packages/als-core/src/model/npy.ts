/**
 * The .npy format of NumPy, versions 1 to 3 (NEP 1): a magic string, a header that is a Python dictionary, the values in
 * row-major little-endian order.
 */
export interface NpyArray {
  /** NumPy's name of the type, such as '<f4', '<i8', '|b1', '<U7'. */
  readonly descr: string
  readonly shape: readonly number[]
  /** Numbers, or the strings of a '<U' array. */
  readonly values: Float32Array | Float64Array | Int32Array | Uint32Array | BigInt64Array | Uint8Array | string[]
}

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
    throw new Error('it is in column-major (Fortran) order')
  const count = shape.reduce((product, length) => product * length, 1)
  const size = sizeOf(descr)
  const data = bytes.subarray(end)
  if (data.length < count * size) {
    throw new Error(`it has ${data.length} bytes, expected ${count * size} for shape (${shape.join(', ')}) of ${descr}`)
  }
  return { descr, shape, values: decode(descr, data.slice(0, count * size), count) }
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
  const fixed = ({ '<f4': 4, '<f8': 8, '<i4': 4, '<u4': 4, '<i8': 8, '|b1': 1, '|u1': 1 } as Record<string, number>)[
    descr
  ]
  if (fixed !== undefined) return fixed
  if (/^<U\d+$/.test(descr)) return 4 * Number(descr.slice(2))
  throw new Error(`its type is '${descr}', expected one of <f4, <f8, <i4, <u4, <i8, |b1, |u1, <U`)
}

/** `data` is a copy of its own: aligned. */
function decode(descr: string, data: Uint8Array, count: number): NpyArray['values'] {
  if (descr === '<f4') return new Float32Array(data.buffer)
  if (descr === '<f8') return new Float64Array(data.buffer)
  if (descr === '<i4') return new Int32Array(data.buffer)
  if (descr === '<u4') return new Uint32Array(data.buffer)
  if (descr === '<i8') return new BigInt64Array(data.buffer)
  if (descr === '|b1' || descr === '|u1') return data
  const points = new Uint32Array(data.buffer)
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
