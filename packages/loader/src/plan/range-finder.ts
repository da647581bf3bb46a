import type { IdRange } from '../ids/id-range.ts'
import type { IdKind } from '../ids/keys.ts'
import type { FoundColumn } from '../parquet/find-column.ts'
import type { Footer } from '../parquet/footer.ts'

/** The smallest and largest id that the footers of all files promise; undefined when one of them does not say. */
export class RangeFinder {
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #known = true

  add(footer: Footer, column: FoundColumn): void {
    for (const { rows, chunks } of footer.rowGroups) {
      if (rows === 0) continue
      const chunk = chunks[column.leaves[0]]
      if (chunk.onlyNulls || column.type.kind === 'null') continue
      if (chunk.min === undefined || chunk.max === undefined) this.#known = false
      else {
        // Negative ids are dropped or refused, so they do not widen the range.
        this.#min = Math.min(this.#min, Math.max(0, chunk.min))
        this.#max = Math.max(this.#max, chunk.max)
      }
    }
  }

  /** An array over the range pays as long as it takes no more than half a byte for each row, or 256 MB. */
  decide(kind: IdKind, rows: number): IdRange {
    const size = this.#max - this.#min + 1
    // The counts of both sides lie in the 4 GB of one WebAssembly memory.
    const worth = size >= 1 && size <= 2 ** 28 && 4 * size <= Math.max(256e6, rows / 2)
    const direct = kind === 'integer' && this.#known && worth
    return direct ? { way: 'direct', kind: 'integer', min: this.#min, size } : { way: 'table', kind }
  }
}
