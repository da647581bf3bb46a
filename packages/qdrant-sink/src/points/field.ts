import { checkOptions, only } from '../checks/check-options.ts'
import { anything, object } from '../checks/kinds.ts'
import { describeId, type Ids } from './point-id.ts'
import type { Distance, VectorShape } from './vectors.ts'

/** The type the server keeps values in, `datatype` of its vector parameters. */
export type Datatype = 'float32' | 'float16' | 'uint8'

/** One vector of every point. */
export interface VectorField {
  /** What queries choose it by; the vector without a name has ''. */
  name: string
  dimension: number
  distance: Distance
  datatype: Datatype
  parameters?: VectorShape['parameters']
}

const DISTANCES: readonly Distance[] = ['Cosine', 'Dot', 'Euclid', 'Manhattan']
/** The largest float16. */
const LARGEST_FLOAT16 = 65_504

const shapeKinds = { dimension: anything, distance: anything, parameters: object.optional() }
/** A misspelt `distance` would be cosine. A stream may have members of its own. */
const unnamedVectors = only({ ids: anything, data: anything, ...shapeKinds })
const namedVectors = only({ ids: anything, named: object })
/** `Vectors` in the place of one of several have ids besides. */
const oneNamedVector = only({ ids: anything, data: anything, ...shapeKinds })

/** @throws TypeError, RangeError for a dimension or a distance that the server does not have. */
export function fieldsOf(
  name: string,
  input: VectorShape | { named: Record<string, VectorShape> },
  datatype: Datatype,
): VectorField[] {
  if (!('batches' in input)) checkOptions(name, 'named' in input ? namedVectors : unnamedVectors, input)
  const shapes: [string, VectorShape][] = 'named' in input ? Object.entries(input.named) : [['', input]]
  if (shapes.length === 0)
    throw new TypeError(`${name}.named is {}, expected at least one vector, such as { similar: { data, dimension } }.`)
  return shapes.map(([field, shape]) => {
    if ('named' in input && field === '')
      throw new TypeError(`${name}.named has an empty name, expected one that queries can ask for.`)
    const owner = ownerOf(name, field)
    if ('named' in input) checkOptions(owner, oneNamedVector, shape)
    const { dimension, distance = 'Cosine', parameters } = shape
    if (!Number.isInteger(dimension) || dimension < 1 || dimension > 65_536)
      throw new RangeError(`${owner}.dimension is ${dimension}, expected an integer from 1 to 65,536.`)
    if (!DISTANCES.includes(distance))
      throw new TypeError(`${owner}.distance is ${JSON.stringify(distance)}, expected one of ${DISTANCES.join(', ')}.`)
    return { name: field, dimension, distance, datatype, ...(parameters && { parameters }) }
  })
}

/**
 * Refuses values that the server would refuse or change. Rows are counted from `firstRow`.
 *
 * @throws TypeError, RangeError
 */
export function checkValues(name: string, field: VectorField, ids: Ids, data: Float32Array, firstRow: number): void {
  const { dimension, datatype } = field
  const owner = ownerOf(name, field.name)
  if (!(data instanceof Float32Array)) throw new TypeError(`${owner}.data is ${typeof data}, expected a Float32Array.`)
  if (data.length !== ids.length * dimension) {
    throw new RangeError(
      `${owner}.data has ${data.length} values, expected ${ids.length} ids × dimension ${dimension} = ${ids.length * dimension}.`,
    )
  }
  const refuse = (at: number, expected: string): never => {
    const index = Math.floor(at / dimension)
    throw new RangeError(
      `${owner}.data is ${data[at]} in row ${firstRow + index} (id ${describeId(ids.at(index))}), column ${at % dimension}, expected ${expected}.`,
    )
  }
  for (let i = 0; i < data.length; i++) {
    // x - x is NaN for NaN and for both infinities, and 0 for all else.
    if (data[i] - data[i] !== 0) refuse(i, 'finite numbers')
  }
  if (datatype === 'uint8') {
    const expected =
      'integers from 0 to 255, since `vectorParameters.datatype` is uint8 and the server cuts off the rest. Scale the values, or use ' +
      "`quantization_config: { scalar: { type: 'int8' } }`, which takes any"
    for (let i = 0; i < data.length; i++) if (data[i] !== (data[i] & 255)) refuse(i, expected)
  } else if (datatype === 'float16' && !normalizes(field)) {
    const expected = `at most ${LARGEST_FLOAT16} in magnitude, since \`vectorParameters.datatype\` is float16`
    for (let i = 0; i < data.length; i++) if (Math.abs(data[i]) > LARGEST_FLOAT16) refuse(i, expected)
  }
}

/**
 * What each value of the vector that begins at `from` is multiplied by before it is sent: vectors for cosine go out at unit length, since
 * the server leaves those of a squared length below 1.19e-7 as they are, where they are never found. Zero vectors stay zero.
 */
export function scaleOf(field: VectorField, data: Float32Array, from: number): number {
  if (!normalizes(field)) return 1
  let squares = 0
  for (let i = from; i < from + field.dimension; i++) squares += data[i] * data[i]
  return squares > 0 ? 1 / Math.sqrt(squares) : 1
}

/** The vector that begins at `from`, as it is sent. */
export function sentVector(field: VectorField, data: Float32Array, from: number): Float32Array {
  const scale = scaleOf(field, data, from)
  return data.slice(from, from + field.dimension).map((value) => value * scale)
}

/** How far a value that the server has kept may be from the one that was sent. */
export function toleranceOf(field: VectorField, value: number): number {
  // Rounding to 11 bits of significand, or below 2^-14 to multiples of 2^-24; twice that, for a server that truncates.
  if (field.datatype === 'float16') return Math.max(Math.abs(value) * 2 ** -10, 2 ** -24)
  // The server may divide by a length that it computes in float32.
  return normalizes(field) ? 1e-6 : 0
}

/** The server does not normalize bytes. */
function normalizes({ distance, datatype }: VectorField): boolean {
  return distance === 'Cosine' && datatype !== 'uint8'
}

function ownerOf(name: string, field: string): string {
  return field === '' ? name : `${name}.named.${field}`
}
