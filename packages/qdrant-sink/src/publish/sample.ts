import { sentVector } from '../points/field.ts'
import { type IdField, type PayloadReader, payloadText, withId, withNumbers } from '../points/payload.ts'
import { type Id, itemPoint, type PointId } from '../points/point-id.ts'
import type { PointBlock, PointSource } from '../points/source.ts'

/** A point as it was sent, kept to be compared with what the server has. */
export interface SampledPoint {
  row: number
  id: Id
  point: PointId
  /** One vector for each field. */
  vectors: Float32Array[]
  /** JSON; undefined for none. */
  payload: string | undefined
}

/** Keeps `size` of the points as they pass: the first, the last, and others evenly between. */
export class Sample {
  readonly points: SampledPoint[] = []
  readonly #source: PointSource
  readonly #rows: Set<number>
  readonly #first: number

  /**
   * @param start The watermark: rows below it were sent by an earlier run. Of arrays they can be looked at all the same; a stream is not
   *   read again for them, unless fewer than `size` are left.
   */
  constructor(source: PointSource, size: number, start: number) {
    this.#source = source
    this.#first = source.streamed ? Math.min(start, Math.max(0, source.points - size)) : 0
    this.#rows = evenRows(this.#first, source.points, size)
  }

  /** Takes the rows that an earlier run has sent. */
  async takeBefore(start: number, payloads: PayloadReader, idField: IdField | undefined): Promise<void> {
    if (this.#first >= start) return
    for await (const block of this.#source.blocks(this.#first)) {
      for (let row = block.from; row < Math.min(block.to, start); row++) {
        if (!this.#rows.has(row)) continue
        const id = block.ids.at(row - block.first) as Id
        const own = withNumbers(await payloads.read(row, id), block.numbers, row - block.first)
        const payload = withId(own, id, itemPoint(id), idField)
        this.take(block, row, payloadText(this.#source.name, row, id, payload))
      }
      if (block.to >= start) return
    }
  }

  take(block: PointBlock, row: number, payload: string | undefined): void {
    if (!this.#rows.has(row)) return
    const place = row - block.first
    const id = block.ids.at(place) as Id
    const vectors = this.#source.fields.map((field, i) => sentVector(field, block.data[i], place * field.dimension))
    this.points.push({ row, id, point: itemPoint(id), vectors, payload })
  }
}

/** `size` rows from `from` to `to`, both ends among them. */
function evenRows(from: number, to: number, size: number): Set<number> {
  const count = Math.min(to - from, size)
  return new Set(
    Array.from({ length: count }, (_, i) =>
      count === 1 ? from : from + Math.round((i * (to - from - 1)) / (count - 1)),
    ),
  )
}
