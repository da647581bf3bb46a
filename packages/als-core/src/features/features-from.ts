import { OptionError } from '../checks/option-error.ts'
import type { FeatureMatrix } from './feature-matrix.ts'
import { type FeatureRecord, namesOf } from './feature-names.ts'
import { FeatureRows } from './feature-rows.ts'
import { type FeatureSpec, type ResolvedFeatureSpec, resolveFeatureSpec } from './feature-spec.ts'
import { FeatureVocabulary } from './feature-vocabulary.ts'

/**
 * A feature matrix from the records of a catalogue, one for each row: `train(matrix, { itemFeatures: featuresFrom(...) })`.
 * The matrix carries its vocabulary, which places new items later.
 *
 * What is not known (null, NaN, an empty string or list, a record that is undefined) adds nothing; a record without any
 * feature has an empty row. For records that come as a stream, see `FeatureCounter`.
 *
 * @param records of row 0, 1, …; iterated twice
 * @throws OptionError when a field is in no record, or no feature has `minimumItems` items; MatrixError naming the record
 * and the field, when a value is neither string nor number
 */
export function featuresFrom(records: Iterable<FeatureRecord | undefined>, spec: FeatureSpec): FeatureMatrix {
  const counter = new FeatureCounter(spec)
  let rows = 0
  for (const record of records) {
    rows++
    if (record) counter.add(record)
    else counter.addUnknown()
  }
  const matrix = new FeatureRows(counter.finish(), Math.max(1, rows))
  let row = 0
  for (const record of records) {
    if (record) matrix.set(row, record)
    row++
  }
  return matrix.finish()
}

/**
 * The first of two passes over records that are not held: `add` each of those to train on, in any order, then `finish`.
 * In the second pass `FeatureRows` takes them again. Memory follows the distinct values, not the records.
 */
export class FeatureCounter {
  readonly #spec: ResolvedFeatureSpec
  readonly #counts = new Map<string, number>()
  /** Fields that a record had a value in, and names of fields that records have. */
  readonly #filled = new Set<string>()
  readonly #seen = new Set<string>()
  #items = 0

  constructor(spec: FeatureSpec) {
    this.#spec = resolveFeatureSpec(spec)
  }

  /** @throws MatrixError naming the record, by its number in this pass, and the field */
  add(record: FeatureRecord): void {
    for (const name of namesOf(record, this.#spec, `Record ${this.#items}`)) {
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
    }
    if (this.#items++ < 1000) for (const field in record) this.#seen.add(field)
    if (this.#filled.size < Object.keys(this.#spec.fields).length) this.#noteFields(record)
  }

  /** Counts an item of which there is no record. */
  addUnknown(): void {
    this.#items++
  }

  /** @throws OptionError when a field is in no record, or no feature has `minimumItems` items */
  finish(): FeatureVocabulary {
    const { fields, minimumItems, maximumFeatures, weighting } = this.#spec
    for (const field of Object.keys(fields)) {
      if (!this.#filled.has(field)) {
        throw new OptionError(
          `fields.${field}: none of the ${this.#items} records has a value there, expected some. They have: ${[...this.#seen].join(', ') || 'nothing'}.`,
        )
      }
    }
    // By name, so that the order of the records decides nothing.
    const isUseful = (count: number) => count >= minimumItems && (weighting === 'none' || count < this.#items)
    const useful = [...this.#counts].filter(([, count]) => isUseful(count)).sort(byName)
    if (useful.length === 0 && [...this.#counts.values()].some((count) => count >= minimumItems)) {
      throw new OptionError(
        `Each value in ${Object.keys(fields).join(', ')} that ${minimumItems} of the ${this.#items} items share is shared by all of them, and tells none from another. Choose other fields, lower minimumItems (${minimumItems}), or set weighting to 'none'.`,
      )
    }
    if (useful.length === 0) {
      throw new OptionError(
        `None of the ${this.#counts.size} values in ${Object.keys(fields).join(', ')} is shared by ${minimumItems} of the ${this.#items} items, expected some. Lower minimumItems, or choose other fields.`,
      )
    }
    const kept = useful.length <= maximumFeatures ? useful : mostCommon(useful, maximumFeatures).sort(byName)
    const names = kept.map(([name]) => name)
    return new FeatureVocabulary({
      spec: this.#spec,
      items: this.#items,
      names,
      counts: kept.map(([, count]) => count),
    })
  }

  #noteFields(record: FeatureRecord): void {
    for (const field of Object.keys(this.#spec.fields)) {
      const value = record[field]
      const isKnown = Array.isArray(value) ? value.length > 0 : value !== null && value !== undefined && value !== ''
      if (isKnown) this.#filled.add(field)
    }
  }
}

type Counted = [name: string, count: number]

function byName([a]: Counted, [b]: Counted): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function mostCommon(counted: Counted[], count: number): Counted[] {
  return counted.toSorted((a, b) => b[1] - a[1] || byName(a, b)).slice(0, count)
}
