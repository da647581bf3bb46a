import { MatrixError } from '../matrix/compressed-rows.ts'
import { type FeatureRecord, namesOf } from './feature-names.ts'
import { type FeatureSpec, type ResolvedFeatureSpec, resolveFeatureSpec } from './feature-spec.ts'

/** A record as a row of the feature matrix. */
export interface FeatureRow {
  /** Features, ascending. */
  readonly indices: Uint32Array
  readonly values: Float32Array
}

/** What `FeatureVocabulary.toJSON` gives and `FeatureVocabulary.fromJSON` takes. */
export interface SavedVocabulary {
  readonly spec: FeatureSpec
  /** Items that were counted. */
  readonly items: number
  readonly names: readonly string[]
  /** Items of each feature. */
  readonly counts: ArrayLike<number>
}

/**
 * Which features there are and what each weighs. It is made once, of the items to train on, and kept with the model: only
 * by the same vocabulary is the row of a new item comparable with those that the model has learned from.
 */
export class FeatureVocabulary {
  readonly spec: ResolvedFeatureSpec
  /** Items that were counted. */
  readonly items: number
  /** Name of each feature, `field=value`, in ascending order. */
  readonly names: readonly string[]
  /** Items of each feature. */
  readonly counts: Uint32Array
  /** Weight of each feature, by `spec.weighting`. */
  readonly weights: Float32Array
  readonly #places: ReadonlyMap<string, number>

  /** @throws MatrixError when there is no feature, or names and counts do not fit each other */
  constructor({ spec, items, names, counts }: SavedVocabulary) {
    if (names.length === 0 || names.length !== counts.length) {
      throw new MatrixError(
        `A vocabulary of ${names.length} names and ${counts.length} counts, expected at least one name and a count for each.`,
      )
    }
    this.spec = resolveFeatureSpec(spec)
    this.items = items
    this.names = names
    this.counts = Uint32Array.from(counts)
    const idf = this.spec.weighting === 'idf'
    this.weights = Float32Array.from(this.counts, (count) => (idf ? Math.log(items / count) : 1))
    this.#places = new Map(names.map((name, feature) => [name, feature]))
  }

  /** Number of features. */
  get length(): number {
    return this.names.length
  }

  /** The column of a feature by its name, as 'styles=Deep House'; undefined where the vocabulary does not have it. */
  indexOf(name: string): number | undefined {
    return this.#places.get(name)
  }

  /**
   * The row of a record, without what the vocabulary does not know; empty where it knows nothing of it.
   *
   * @throws MatrixError naming the field whose value is neither string nor number
   */
  rowOf(record: FeatureRecord, which = 'The record'): FeatureRow {
    const found: number[] = []
    for (const name of namesOf(record, this.spec, which)) {
      const feature = this.#places.get(name)
      if (feature !== undefined) found.push(feature)
    }
    const indices = Uint32Array.from(found).sort()
    const values = Float32Array.from(indices, (feature) => this.weights[feature])
    if (!this.spec.normalize) return { indices, values }
    const length = Math.hypot(...values)
    return { indices, values: length > 0 ? values.map((value) => value / length) : values }
  }

  toJSON(): SavedVocabulary {
    return { spec: this.spec, items: this.items, names: this.names, counts: [...this.counts] }
  }

  static fromJSON(saved: SavedVocabulary): FeatureVocabulary {
    return new FeatureVocabulary(saved)
  }
}
