import type { Schemas } from '@qdrant/js-client-rest'
import { z } from 'zod'
import { checkOptions, type OptionKinds, only } from '../checks/check-options.ts'
import { boolean, name, names, object, positiveInteger, signal, timeout } from '../checks/kinds.ts'
import { checkAlias } from '../generation/names.ts'
import { type Id, itemPoint, type PointId } from '../points/point-id.ts'
import { type CallOptions, Connection, type ServerOptions } from '../server/connection.ts'
import { type Filter, type FilterSpecification, toFilter } from './filter.ts'
import type { QueryRequest } from './request.ts'

export interface ScoredPoint<P> {
  id: PointId
  score: number
  payload: P
  vector?: number[] | Record<string, number[]>
}

export interface Group<P> {
  /** The value that its points share. */
  value: string | number
  points: ScoredPoint<P>[]
}

export interface GroupOptions {
  /** Field whose values make the groups; a point with several values is in several groups. */
  by: string
  /** Points of a group at most. Default 1. */
  size?: number
  /** Groups to return. Default 10. */
  limit?: number
}

export interface ScrollOptions extends QueryOptions {
  filter?: Filter | FilterSpecification
  /** True (default) for the whole payload, or the fields to return. */
  payload?: boolean | string[]
  /** Return the vectors too, or those of these names. Default false. */
  vector?: boolean | string[]
  /** Points per request. Default 1,000. */
  pageSize?: number
}

export interface QueryOptions {
  signal?: AbortSignal
  /** Milliseconds for one try. */
  timeout?: number
}

const groupKinds: OptionKinds<GroupOptions> = {
  by: name,
  size: positiveInteger.optional(),
  limit: positiveInteger.optional(),
}
const groupOptions = only(groupKinds)

const queryKinds: OptionKinds<QueryOptions> = { signal: signal.optional(), timeout: timeout.optional() }
const queryOptions = only(queryKinds)

const choice = z.union([boolean, names], 'true, false or an array of names')
const scrollKinds: OptionKinds<ScrollOptions> = {
  ...queryKinds,
  filter: object.optional(),
  payload: choice.optional(),
  vector: choice.optional(),
  pageSize: positiveInteger.optional(),
}
const scrollOptions = only(scrollKinds)

/**
 * Queries against what an alias points to: `new Index<Release>({ url, alias }).query(similar(1138))`. A thin layer over the client's
 * query, queryBatch and queryGroups, with retries, and with payloads of the caller's type `P`.
 */
export class Index<P = Record<string, unknown>> {
  readonly alias: string
  readonly #connection: Connection

  constructor(options: ServerOptions & { alias: string }) {
    this.#connection = new Connection(options)
    checkAlias(options.alias)
    this.alias = options.alias
  }

  async query(request: QueryRequest, options: QueryOptions = {}): Promise<ScoredPoint<P>[]> {
    checkQuery(request, options)
    const { points } = await this.#connection.call<Schemas['QueryResponse']>(
      (api, init) => api.queryPoints({ collection_name: this.alias, ...request }, init),
      options satisfies CallOptions,
    )
    return points.map((point) => toPoint<P>(point))
  }

  /** Several queries in one request; the answers come in their order. */
  async queryBatch(requests: QueryRequest[], options: QueryOptions = {}): Promise<ScoredPoint<P>[][]> {
    if (requests.length === 0) return []
    for (const request of requests) checkQuery(request, options)
    const answers = await this.#connection.call<Schemas['QueryResponse'][]>(
      (api, init) => api.queryBatchPoints({ collection_name: this.alias, searches: requests }, init),
      options,
    )
    return answers.map(({ points }) => points.map((point) => toPoint<P>(point)))
  }

  /** At most `size` points for each value of a field: `queryGroups(similar(1138), { by: 'artists', size: 1 })`. */
  async queryGroups(request: QueryRequest, groups: GroupOptions, options: QueryOptions = {}): Promise<Group<P>[]> {
    checkQuery(request, options)
    checkOptions('queryGroups', groupOptions, groups)
    const { by, size = 1, limit = 10 } = groups
    const { limit: _, offset, ...body } = request
    if (offset)
      throw new TypeError(
        `\`offset\` is ${offset}, expected none: groups have no pages. Ask for more of them by \`limit\`.`,
      )
    const found = await this.#connection.call<Schemas['GroupsResult']>(
      (api, init) =>
        api.queryPointsGroups({ collection_name: this.alias, ...body, group_by: by, group_size: size, limit }, init),
      options,
    )
    return found.groups.map(({ id, hits }) => ({ value: id, points: hits.map((point) => toPoint<P>(point)) }))
  }

  /** The payload of a point; undefined when there is no such point. */
  async get(id: Id, options: QueryOptions = {}): Promise<P | undefined> {
    const ids = [itemPoint(id) as Schemas['ExtendedPointId']]
    const points = await this.#connection.call<Schemas['Record'][]>(
      (api, init) => api.getPoints({ collection_name: this.alias, ids, with_payload: true }, init),
      options,
    )
    return points[0]?.payload as P | undefined
  }

  /** All points that pass, in the order of their ids, a page per request. A point that is published meanwhile may be missed. */
  async *scroll(options: ScrollOptions = {}): AsyncGenerator<Omit<ScoredPoint<P>, 'score'>> {
    checkOptions('scroll', scrollOptions, options)
    const { filter, payload = true, vector = false, pageSize = 1000, ...call } = options
    const request = {
      ...(filter && { filter: toFilter(filter) }),
      with_payload: payload,
      with_vector: vector,
      limit: pageSize,
    }
    for (let offset: Schemas['ExtendedPointId'] | undefined; ; ) {
      const page = await this.#connection.call<Schemas['ScrollResult']>(
        (api, init) =>
          api.scrollPoints({ collection_name: this.alias, ...request, ...(offset !== undefined && { offset }) }, init),
        call,
      )
      yield* page.points.map((point) => toRecord<P>(point))
      const next = page.next_page_offset as Schemas['ExtendedPointId'] | null | undefined
      if (next === null || next === undefined) return
      offset = next
    }
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function checkQuery(request: QueryRequest, options: QueryOptions): void {
  checkOptions('a query', queryOptions, options)
  if (typeof request !== 'object' || request === null)
    throw new TypeError(`The query is ${request}, expected what \`similar\`, \`blend\` or \`forUser\` gives.`)
}

function toPoint<P>({ score, ...record }: Schemas['ScoredPoint']): ScoredPoint<P> {
  return { ...toRecord<P>(record), score }
}

function toRecord<P>({ id, payload, vector }: Schemas['Record']): Omit<ScoredPoint<P>, 'score'> {
  return { id, payload: (payload ?? {}) as P, ...(vector != null && { vector: vector as number[] }) }
}
