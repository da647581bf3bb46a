import type { Schemas } from '@qdrant/js-client-rest'
import type { Ids } from './point-id.ts'

/** How the server compares two vectors. */
export type Distance = Schemas['Distance']

/** What the server is told of one vector of every point. */
export interface VectorShape {
  dimension: number
  /**
   * `Cosine` (default) for likeness, which needs only directions: vectors are sent at unit length. `Dot` where lengths count, as in the
   * inner product of a user and an item.
   */
  distance?: Distance
  /**
   * Parameters of this vector alone, over those of all: `{ hnsw_config: { m: 0 }, on_disk: true }` for one that is only read as an
   * example, which needs no graph.
   */
  parameters?: Pick<Schemas['VectorParams'], 'hnsw_config' | 'quantization_config' | 'on_disk'>
}

/** One vector of every point, as training gives them: rows × dimension float32, row-major, never copied as a whole. */
export interface VectorData extends VectorShape {
  data: Float32Array
}

/** Points of one vector each, without a name. */
export interface Vectors extends VectorData {
  /** Id of each row: any integers or strings, see `itemPoint`. An array, a typed array, or the id column of a model. */
  ids: Ids
}

/** Points of several vectors each, which queries choose from by `using`. */
export interface NamedVectors {
  ids: Ids
  /** `{ similar: { data, dimension: 128 }, taste: { data: inTasteSpace, dimension: 128, distance: 'Dot' } }` */
  named: Record<string, VectorData>
}

/** Points that are read while they are published, in batches, so that memory does not grow with their number. */
export interface VectorStream extends VectorShape {
  /** How many points the stream has, in all. */
  points: number
  /** Changes when ids or vectors change: an unfinished run is resumed only at the same one. */
  fingerprint: string
  /**
   * Batches from row `start` on, in order; the ids of the whole stream are strictly ascending (integers by value, strings by their UTF-8
   * bytes). A batch is done with when the next one is asked for, so its memory may be used again.
   */
  batches(start: number): AsyncIterable<VectorBatch> | Iterable<VectorBatch>
}

export interface VectorBatch {
  ids: Ids
  /** ids.length × dimension, row-major. */
  data: Float32Array
  /** Numbers per row that go into the payload by these names, where it has none of its own. NaN is left out. */
  numbers?: Readonly<Record<string, ArrayLike<number>>>
}

/** A stream of points of several vectors each. */
export interface NamedVectorStream extends Pick<VectorStream, 'points' | 'fingerprint'> {
  named: Record<string, VectorShape>
  batches(start: number): AsyncIterable<NamedVectorBatch> | Iterable<NamedVectorBatch>
}

export interface NamedVectorBatch {
  ids: Ids
  /** ids.length × dimension for each name of the stream. */
  named: Record<string, Float32Array>
  numbers?: VectorBatch['numbers']
}

/** All that `publish` takes. */
export type VectorInput = Vectors | NamedVectors | VectorStream | NamedVectorStream
