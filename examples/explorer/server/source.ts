import type { Dial, Sample } from '../answers.ts'
import type { Catalogue, ItemFilter } from './catalogue.ts'

/** What is asked: rows near `positive`, at least one, and away from `negative`. */
export interface Question {
  readonly positive: readonly number[]
  readonly negative: readonly number[]
  readonly dial: Dial
  readonly filter: ItemFilter
  /** At most one item of an artist. */
  readonly onePerArtist: boolean
  readonly limit: number
}

export interface ScoredRow {
  readonly row: number
  readonly score: number
}

/** What an example adds to a score. */
export interface RowShare {
  readonly row: number
  readonly share: number
}

/** Where answers come from: a model in this process, or Qdrant. */
export interface Source {
  /** As a person reads it: "the model in ./model". */
  readonly name: string
  readonly catalogue: Catalogue
  /** Geometries that can be asked for. */
  readonly dials: readonly Dial[]
  /** Best first. */
  neighbours(question: Question, signal?: AbortSignal): Promise<ScoredRow[]>
  /** Shares of the examples in the score of a row, which they add up to; largest first. */
  explain(question: Question, row: number, signal?: AbortSignal): Promise<RowShare[]>
  /** Vectors of rows, one after the other, for the map. */
  vectors(rows: Uint32Array): Promise<{ data: Float32Array; dimension: number }>
  /** Programs and commands that give the same list. */
  samples(question: Question): Sample[]
  close(): Promise<void>
}
