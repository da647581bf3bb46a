import { type Data, DataType, type Vector } from 'apache-arrow'
import type { IdColumn } from '../matrix/interaction-matrix.ts'
import { StringIdsBuilder } from '../matrix/string-ids.ts'
import { ModelFormatError } from './manifest.ts'

/**
 * Columns of a record batch, whatever wrote them. A buffer of Arrow is padded to 8 or 64 bytes, so only the first `length`
 * elements of a view are the column's; a bitmap may mark some of them as missing; numbers and lists come in several widths.
 */
interface Column {
  readonly name: string
  readonly vector: Vector | null
  /** The file, for messages. */
  readonly path: string
}

/** Copies a column of lists with `width` numbers each into `target`, row-major, from `row` on. */
export function copyVectors(column: Column, width: number, target: Float32Array, row: number): void {
  const expected = `${width} float32 per row`
  const { vector, path } = present(column, expected, row)
  let at = row * width
  for (const data of vector.data) {
    const child: Data | undefined = data.children?.[0]
    const numbers = child?.values
    if (DataType.isFixedSizeList(data.type) && data.type.listSize === width && isFloat(child)) {
      if (child!.nullCount > 0) throw missing(column, row + Math.floor(firstNull(child!) / width))
      target.set(numbers.subarray(0, data.length * width), at)
    } else if (DataType.isList(data.type) && isFloat(child)) {
      for (let r = 0; r < data.length; r++) {
        const [from, to] = data.valueOffsets.subarray(r, r + 2)
        if (to - from !== width) {
          throw new ModelFormatError(`${path}: "vector" of row ${row + r} has ${to - from} numbers, expected ${width}.`)
        }
        target.set(numbers.subarray(from, to), at + r * width)
      }
      if (child!.nullCount > 0) throw missing(column, row)
    } else {
      throw new ModelFormatError(
        `${path}: column "vector" is of type ${data.type}, expected a list of ${expected}. It is not a file of this model.`,
      )
    }
    at += data.length * width
  }
}

/** Copies a column of numbers into `target` from `row` on. */
export function copyNumbers(column: Column, target: Uint32Array | Float32Array, row: number): void {
  const { vector, name, path } = present(column, 'numbers', row)
  let at = row
  for (const data of vector.data) {
    if (!DataType.isInt(data.type) && !isFloat(data)) {
      throw new ModelFormatError(`${path}: column "${name}" is of type ${data.type}, expected numbers.`)
    }
    for (let r = 0; r < data.length; r++) target[at + r] = Number(data.values[r])
    at += data.length
  }
}

/** Collects ids: integers in a Float64Array (exact to 2^53), strings as their UTF-8. */
export class IdReader {
  readonly #rows: number
  #numbers: Float64Array | undefined
  #strings: StringIdsBuilder | undefined

  constructor(rows: number) {
    this.#rows = rows
  }

  read(column: Column, row: number): void {
    const { vector, path } = present(column, 'ids', row)
    if (!DataType.isInt(vector.type)) {
      this.#strings ??= new StringIdsBuilder()
      if (vector.data.every(({ type }) => DataType.isUtf8(type))) for (const data of vector.data) this.#addUtf8(data)
      else this.#addStrings(vector, path)
      return
    }
    this.#numbers ??= new Float64Array(this.#rows)
    for (let r = 0; r < vector.length; r++) {
      const id = Number(vector.get(r))
      if (!Number.isSafeInteger(id)) {
        throw new ModelFormatError(
          `${path}: "id" of row ${row + r} is ${vector.get(r)}, beyond 2^53: make ids strings.`,
        )
      }
      this.#numbers[row + r] = id
    }
  }

  finish(): IdColumn | undefined {
    return this.#numbers ?? this.#strings?.finish()
  }

  /** The bytes as they are in the file: 2 million ids in 15 ms. */
  #addUtf8({ valueOffsets, values, length }: Data): void {
    const lengths = Uint32Array.from({ length }, (_, r) => valueOffsets[r + 1] - valueOffsets[r])
    this.#strings!.add(values.slice(valueOffsets[0], valueOffsets[length]), lengths)
  }

  /** Those of other layouts: dictionaries, views, 64-bit offsets. */
  #addStrings(vector: Vector, path: string): void {
    const strings = Array.from({ length: vector.length }, (_, r) => {
      const id: unknown = vector.get(r)
      if (typeof id === 'string') return Buffer.from(id)
      throw new ModelFormatError(`${path}: column "id" is of type ${vector.type}, expected integers or strings.`)
    })
    this.#strings!.add(
      Buffer.concat(strings),
      Uint32Array.from(strings, (bytes) => bytes.length),
    )
  }
}

function isFloat(data: Data | undefined): boolean {
  return data?.values instanceof Float32Array || data?.values instanceof Float64Array
}

/** @throws ModelFormatError when the column is absent or has a null. */
function present(column: Column, expected: string, row: number): Column & { vector: Vector } {
  const { vector, name, path } = column
  if (!vector) {
    throw new ModelFormatError(`${path} has no column "${name}", expected ${expected}. It is not a file of this model.`)
  }
  for (const data of vector.data) if (data.nullCount > 0) throw missing(column, row + firstNull(data))
  return { ...column, vector }
}

function missing({ name, path }: Column, row: number): ModelFormatError {
  return new ModelFormatError(`${path}: "${name}" of row ${row} has a null. Save the model again.`)
}

function firstNull(data: Data): number {
  let row = 0
  while (data.getValid(row)) row++
  return row
}
