import type { Schemas } from '@qdrant/js-client-rest'

export type Id = number | bigint | string
export type StoredPayload = Record<string, unknown>

export interface StoredPoint {
  id: Id
  version: number
  /** By name; the vector without one is under ''. */
  vectors: Map<string, Float32Array>
  payload: StoredPayload
}

export interface StoredCollection {
  name: string
  create: Schemas['CreateCollection']
  vectors: Map<string, Schemas['VectorParams']>
  indexingThreshold: number
  metadata: Record<string, unknown> | undefined
  indexes: Map<string, Schemas['PayloadFieldSchema']>
  points: Map<string, StoredPoint>
  operations: number
}

/** An answer of the server other than 200. */
export class Refusal extends Error {
  readonly status: number
  readonly retryAfter: string | undefined
  constructor(status: number, message: string, retryAfter?: string) {
    super(message)
    this.status = status
    this.retryAfter = retryAfter
  }
}

/** Default indexing threshold of the server's configuration, in KB. */
const INDEXING_THRESHOLD = 10_000

/** Collections and aliases with the semantics of the server's storage. */
export class Storage {
  readonly collections: Map<string, StoredCollection> = new Map()
  readonly aliases: Map<string, string> = new Map()

  /** Resolves an alias, as all reads and writes of points do. */
  find(name: string): StoredCollection {
    const found = this.collections.get(this.aliases.get(name) ?? name)
    if (!found) throw new Refusal(404, `Not found: Collection \`${name}\` doesn't exist!`)
    return found
  }

  create(name: string, create: Schemas['CreateCollection']): boolean {
    if (this.collections.has(name)) throw new Refusal(409, `Wrong input: Collection \`${name}\` already exists!`)
    if (this.aliases.has(name))
      throw new Refusal(
        400,
        `Wrong input: Can't create collection with name ${name}. Alias with the same name already exists`,
      )
    if (/[<>:"/\\|?*\p{Cc}]/u.test(name))
      throw new Refusal(
        422,
        'Validation error in path parameters: [name: collection name cannot contain special characters]',
      )
    const config = create.vectors as Record<string, unknown>
    const named = typeof config?.size === 'number' ? [['', config]] : Object.entries(config ?? {})
    this.collections.set(name, {
      name,
      create,
      vectors: new Map(named as [string, Schemas['VectorParams']][]),
      indexingThreshold:
        (create.optimizers_config as Schemas['OptimizersConfigDiff'] | null | undefined)?.indexing_threshold ??
        INDEXING_THRESHOLD,
      metadata: create.metadata as Record<string, unknown> | undefined,
      indexes: new Map(),
      points: new Map(),
      operations: 0,
    })
    return true
  }

  update(name: string, change: Schemas['UpdateCollection']): boolean {
    const collection = this.find(name)
    const threshold = (change.optimizers_config as Schemas['OptimizersConfigDiff'] | null | undefined)
      ?.indexing_threshold
    if (threshold != null) collection.indexingThreshold = threshold
    // Merged by top-level keys; null removes one.
    if (change.metadata) {
      const merged = { ...collection.metadata, ...(change.metadata as Record<string, unknown>) }
      collection.metadata = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null))
    }
    return true
  }

  /** Takes along every alias that points to it. False when there was none of that name; an alias is not resolved. */
  delete(name: string): boolean {
    for (const [alias, target] of this.aliases) if (target === name) this.aliases.delete(alias)
    return this.collections.delete(name)
  }

  /** One by one, and what was done before the first failure stays done: the server has no rollback here. */
  updateAliases(actions: Schemas['AliasOperations'][]): boolean {
    for (const action of actions) {
      if ('create_alias' in action) {
        const { alias_name: alias, collection_name: target } = action.create_alias
        if (!this.collections.has(target)) throw new Refusal(404, `Not found: Collection \`${target}\` doesn't exist!`)
        if (this.collections.has(alias)) throw new Refusal(409, `Wrong input: Collection \`${alias}\` already exists!`)
        this.aliases.set(alias, target)
      } else if ('rename_alias' in action) {
        const { old_alias_name: from, new_alias_name: to } = action.rename_alias
        const target = this.aliases.get(from)
        if (target === undefined) throw new Refusal(404, `Not found: Alias ${from} does not exists!`)
        this.aliases.delete(from)
        this.aliases.set(to, target)
      } else {
        this.aliases.delete(action.delete_alias.alias_name)
      }
    }
    return true
  }

  createIndex(name: string, { field_name: field, field_schema: schema }: Schemas['CreateFieldIndex']): number {
    if (schema == null) throw new Refusal(400, 'Bad request: field_schema is required')
    const collection = this.find(name)
    collection.indexes.set(field, schema as Schemas['PayloadFieldSchema'])
    return ++collection.operations
  }

  upsert(name: string, points: Schemas['PointStruct'][]): number {
    const collection = this.find(name)
    const limit = (collection.create.strict_mode_config as Schemas['StrictModeConfig'] | null | undefined)
      ?.upsert_max_batchsize
    if (limit != null && points.length > limit) {
      const help = `Help: Reduce the "upsert limit" parameter to or below ${limit}.`
      throw new Refusal(400, `Bad request: Limit exceeded ${points.length} > ${limit} for "upsert limit". ${help}`)
    }
    const stored = points.map((point) => toStored(collection, point))
    for (const point of stored) collection.points.set(idKey(point.id), point)
    return ++collection.operations
  }

  deletePoints(name: string, ids: Id[]): number {
    const collection = this.find(name)
    for (const id of ids) collection.points.delete(idKey(id))
    return ++collection.operations
  }

  overwritePayload(name: string, ids: Id[], payload: StoredPayload): number {
    const collection = this.find(name)
    for (const id of ids) {
      const point = collection.points.get(idKey(id))
      if (point) point.payload = payload
    }
    return ++collection.operations
  }
}

function wrongId(id: Id): Refusal {
  return new Refusal(
    400,
    `Format error in JSON body: value ${id} is not a valid point ID, valid values are either an unsigned integer or a UUID`,
  )
}

export function idKey(id: Id): string {
  return String(id).toLowerCase().replaceAll('-', '')
}

function toStored(collection: StoredCollection, { id, vector, payload }: Schemas['PointStruct']): StoredPoint {
  const valid =
    typeof id === 'string'
      ? /^[0-9a-f]{32}$/i.test(id.replaceAll('-', ''))
      : typeof id === 'bigint' || (Number.isInteger(id) && id >= 0)
  if (!valid) throw wrongId(id)
  const given = Array.isArray(vector) ? { '': vector } : (vector as Record<string, unknown>)
  const vectors = new Map<string, Float32Array>()
  for (const [name, values] of Object.entries(given)) {
    const params = collection.vectors.get(name)
    if (!params) throw new Refusal(400, `Wrong input: Not existing vector name error: ${name}`)
    vectors.set(name, toVector(params, values as number[]))
  }
  return {
    id,
    version: collection.operations + 1,
    vectors,
    payload: (payload as StoredPayload | null | undefined) ?? {},
  }
}

/** Of float32. */
const EPSILON = 2 ** -23

function toVector({ size, distance, datatype }: Schemas['VectorParams'], values: number[]): Float32Array {
  if (values.length !== size)
    throw new Refusal(400, `Wrong input: Vector dimension error: expected dim: ${size}, got ${values.length}`)
  const vector = Float32Array.from(values)
  // Bytes are cut off and never normalized.
  if (datatype === 'uint8') return vector.map((value) => Math.min(255, Math.max(0, Math.trunc(value))))
  const stored = distance === 'Cosine' ? normalized(vector) : vector
  return datatype === 'float16' ? stored.map((value) => Math.f16round(value)) : stored
}

/** As the server stores vectors for cosine, and compares those of queries. */
export function normalized(vector: Float32Array): Float32Array {
  // The server stores vectors for cosine at unit length; those of a squared length below float32's epsilon stay as they are.
  const squares = Math.fround(vector.reduce((sum, value) => sum + value * value, 0))
  return squares < EPSILON || Math.abs(squares - 1) <= 1e-6 ? vector : vector.map((value) => value / Math.sqrt(squares))
}
