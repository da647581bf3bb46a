import { LoadError } from '../errors.ts'
import { type ArrowColumn, isValid } from '../parquet/arrow-c.ts'

/** Copies the vectors of a batch, a list of floats or doubles per row, to `data` from `first` on, row after row. */
export function copyVectors(column: ArrowColumn, dimension: number, data: Float32Array, first: number): void {
  const { length, elements } = column
  const starts = startsOf(column, dimension)
  const bytes = new Uint8Array(column.memory)
  for (let row = 0; row < length; row++) {
    if (!isValid(column, bytes, row)) throw refused(column, first + row, 'a null')
    const size = starts[row + 1] - starts[row]
    if (size !== dimension) throw refused(column, first + row, `${size} values`, dimension)
  }
  const from = starts[0]
  const count = length * dimension
  if (elements === undefined || (elements.format !== 'f' && elements.format !== 'g'))
    throw refused(column, first, column.format)
  if (elements.validity.length > 0) {
    for (let i = 0; i < count; i++)
      if (!isValid(elements, bytes, from + i))
        throw refused(column, first + Math.floor(i / dimension), `a null at place ${i % dimension}`, dimension)
  }
  const at = elements.offset + from
  const [, values] = elements.buffers
  data.set(
    elements.format === 'f'
      ? new Float32Array(elements.memory, values + 4 * at, count)
      : new Float64Array(elements.memory, values + 8 * at, count),
    first * dimension,
  )
}

/** First element of each row, and the end of the last. */
function startsOf({ format, offset, length, buffers, memory }: ArrowColumn, dimension: number): ArrayLike<number> {
  if (format === '+l') return new Int32Array(memory, buffers[1] + 4 * offset, length + 1)
  if (format === '+L') return Float64Array.from(new BigInt64Array(memory, buffers[1] + 8 * offset, length + 1), Number)
  return Float64Array.from({ length: length + 1 }, (_, row) => (offset + row) * dimension)
}

function refused({ name }: ArrowColumn, row: number, found: string, dimension?: number): LoadError {
  const expected = dimension === undefined ? 'a list of floats' : `${dimension} floats, as in the other rows`
  return new LoadError(
    'schema',
    `column "${name}" has ${found} in row ${row} of the row group, expected ${expected}.`,
    {
      column: name,
    },
  )
}
