import { setTimeout as sleep } from 'node:timers/promises'
import type { Schemas } from '@qdrant/js-client-rest'
import type { Operation } from './faults.ts'
import { passes } from './filter.ts'
import { render, search, searchGroups, vectorsOf } from './search.ts'
import { idKey, Refusal, type Storage } from './storage.ts'

export interface Call {
  storage: Storage
  /** Names in the path: the collection, and for single points the id. */
  names: string[]
  // biome-ignore lint/suspicious/noExplicitAny: the body has been checked against the route's schema
  body: any
}

/** Milliseconds it takes to make a collection. A real server needs about 80. */
const CREATION = 20

/** The `result` of each operation on the storage. */
export const answers: Record<Exclude<Operation, 'root' | 'quotas'>, (call: Call) => unknown> = {
  listCollections: ({ storage }) => ({ collections: [...storage.collections.keys()].map((name) => ({ name })) }),
  listAliases: ({ storage }) => ({
    aliases: [...storage.aliases].map(([alias_name, collection_name]) => ({ alias_name, collection_name })),
  }),
  updateAliases: ({ storage, body }) => storage.updateAliases(body.actions),
  getCollection: describe,
  async createCollection({ storage, names, body }) {
    await sleep(CREATION)
    return storage.create(names[0], body)
  },
  updateCollection: ({ storage, names, body }) => storage.update(names[0], body),
  deleteCollection: ({ storage, names }) => storage.delete(names[0]),
  createIndex: ({ storage, names, body }) => done(storage.createIndex(names[0], body)),
  upsert: ({ storage, names, body }) => done(storage.upsert(names[0], body.points)),
  count: ({ storage, names }) => ({ count: storage.find(names[0]).points.size }),
  getPoints,
  deletePoints: ({ storage, names, body }) => done(storage.deletePoints(names[0], body.points)),
  overwritePayload: ({ storage, names, body }) => done(storage.overwritePayload(names[0], body.points, body.payload)),
  scroll,
  getPoint,
  query: ({ storage, names, body }) => ({ points: search(storage, names[0], body) }),
  queryBatch: ({ storage, names, body }) =>
    body.searches.map((one: Schemas['QueryRequest']) => ({ points: search(storage, names[0], one) })),
  queryGroups: ({ storage, names, body }) => searchGroups(storage, names[0], body),
  optimizations: ({ storage, names }) => {
    storage.find(names[0])
    const summary = { queued_optimizations: 0, queued_segments: 0, queued_points: 0, idle_segments: 1 }
    return { summary, running: [], queued: [] }
  },
}

function done(operation: number): Schemas['UpdateResult'] {
  return { operation_id: operation, status: 'completed' }
}

function describe({ storage, names }: Call): unknown {
  const found = storage.find(names[0])
  const { create, vectors } = found
  return {
    status: 'green',
    optimizer_status: 'ok',
    indexed_vectors_count: found.indexingThreshold > 0 ? found.points.size : 0,
    points_count: found.points.size,
    segments_count: 1,
    update_queue: { length: 0 },
    payload_schema: Object.fromEntries(
      [...found.indexes].map(([field, schema]) => [
        field,
        { data_type: typeof schema === 'string' ? schema : schema.type, points: 0 },
      ]),
    ),
    config: {
      params: {
        vectors: vectors.get('') ?? Object.fromEntries(vectors),
        shard_number: create.shard_number ?? 1,
        replication_factor: 1,
      },
      hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10_000 },
      optimizer_config: {
        deleted_threshold: 0.2,
        vacuum_min_vector_number: 1000,
        default_segment_number: 0,
        indexing_threshold: found.indexingThreshold,
        flush_interval_sec: 5,
      },
      ...(create.strict_mode_config && { strict_mode_config: create.strict_mode_config }),
      ...(found.metadata && { metadata: found.metadata }),
    },
  }
}

function getPoints({ storage, names, body }: Call): Schemas['Record'][] {
  const found = storage.find(names[0])
  const { ids, with_payload: payload = true, with_vector: vector = false } = body as Schemas['PointRequest']
  return ids.flatMap((id) => {
    const point = found.points.get(idKey(id))
    if (!point) return []
    return [
      {
        id: point.id as number | string,
        ...(payload && { payload: point.payload }),
        ...(vector && { vector: vectorsOf(point) as Schemas['VectorStructOutput'] }),
      },
    ]
  })
}

function scroll({ storage, names, body }: Call): unknown {
  const { limit, offset, filter, with_payload, with_vector } = body as Schemas['ScrollRequest']
  const sorted = [...storage.find(names[0]).points.values()]
    .filter((point) => passes(point, filter as Schemas['Filter'] | null))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const from = offset == null ? 0 : sorted.findIndex(({ id }) => id >= (offset as number | string))
  const last = from + (limit ?? 10)
  return {
    points: sorted.slice(from, last).map((point) => render(point, { with_payload: with_payload ?? true, with_vector })),
    next_page_offset: sorted[last]?.id ?? null,
  }
}

function getPoint({ storage, names }: Call): unknown {
  const point = storage.find(names[0]).points.get(idKey(names[1]))
  if (!point) throw new Refusal(404, `Not found: Point with id ${names[1]} does not exists!`)
  return { id: point.id, payload: point.payload, vector: vectorsOf(point) }
}
