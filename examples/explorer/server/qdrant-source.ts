import { hasId, Index, type ScoredPoint } from '@seesaw/qdrant-sink'
import type { ItemPayload } from '../../pipeline/payload.ts'
import { Catalogue } from './catalogue.ts'
import { dialsOf, type PublishedVectors, toRequest, vectorFor } from './qdrant-question.ts'
import { qdrantSamples } from './qdrant-samples.ts'
import type { Question, ScoredRow, Source } from './source.ts'

export interface QdrantOptions {
  readonly url: string
  readonly apiKey?: string
  readonly alias: string
  readonly signal?: AbortSignal
}

/** Answers from what an alias points to. The payloads are read once, for searching titles and for what filters offer. */
export async function openQdrant({ url, apiKey, alias, signal }: QdrantOptions): Promise<Source> {
  const index = new Index<ItemPayload>({ url, apiKey, alias })
  try {
    const ids: (number | string)[] = []
    const counts: number[] = []
    const payloads: ItemPayload[] = []
    for await (const { id, payload } of index.scroll({ signal })) {
      const item = { ...payload, item_id: payload.item_id ?? (id as number | string) }
      ids.push(item.item_id)
      counts.push(item.interaction_count ?? 0)
      payloads.push(item)
    }
    if (ids.length === 0) throw new Error(`${alias} at ${url} has no points. Publish a model under this alias first.`)
    const catalogue = await Catalogue.read({ ids, counts, payloads: given(payloads) })
    return fromIndex(index, catalogue, await vectorsOf(index, ids[0]!), url)
  } catch (error) {
    await index.close()
    throw error
  }
}

function fromIndex(index: Index<ItemPayload>, catalogue: Catalogue, published: PublishedVectors, url: string): Source {
  const { alias } = index
  const request = (question: Question) => toRequest(question, catalogue, alias, published)
  return {
    name: `${alias} in Qdrant at ${url}`,
    catalogue,
    dials: dialsOf(published),
    async neighbours(question, signal) {
      if (!question.onePerArtist) return (await index.query(request(question), { signal })).map(toRow)
      // An item with several artists is in several groups.
      const groups = await index.queryGroups(
        request(question),
        { by: 'artists', size: 1, limit: 2 * question.limit },
        { signal },
      )
      const rows = new Map(groups.flatMap(({ points }) => points.map(toRow)).map((each) => [each.row, each]))
      return [...rows.values()].slice(0, question.limit)
    },
    /** A score is a sum over the examples, divided by the length of their mean where it is a cosine: the whole gives the divisor. */
    async explain(question, row, signal) {
      const filter = { must: [hasId(catalogue.idOf(row))] }
      const ask = (positive: readonly number[], negative: readonly number[]) => ({
        ...request({ ...question, positive, negative, limit: 1 }),
        filter,
      })
      const { positive, negative } = question
      const examples = [...positive, ...negative]
      const [whole, ...alone] = await index.queryBatch(
        [ask(positive, negative), ...examples.map((example) => ask([example], []))],
        { signal },
      )
      const shares = examples.map((example, n) => ({
        row: example,
        share:
          (alone[n]![0]?.score ?? 0) *
          (n < positive.length ? (negative.length > 0 ? 2 : 1) / positive.length : -1 / negative.length),
      }))
      const sum = shares.reduce((total, { share }) => total + share, 0)
      const scale = sum === 0 ? 0 : (whole![0]?.score ?? 0) / sum
      return shares.map(({ row, share }) => ({ row, share: share * scale })).sort((a, b) => b.share - a.share)
    },
    async vectors(rows) {
      const name = vectorFor(dialsOf(published)[0]!, published)
      const places = new Map(Array.from(rows, (row, place) => [row, place]))
      let data = new Float32Array(0)
      let dimension = 0
      const least = catalogue.counts[rows.at(-1)!]!
      const filter = { must: [{ key: 'interaction_count', range: { gte: least } }] }
      for await (const point of index.scroll({ filter, payload: ['item_id'], vector: name ? [name] : true })) {
        const vector = (name ? (point.vector as Record<string, number[]>)[name] : point.vector) as number[]
        if (dimension === 0) {
          dimension = vector.length
          data = new Float32Array(rows.length * dimension)
        }
        const place = places.get(rowOf(point))
        if (place !== undefined) data.set(vector, place * dimension)
      }
      return { data, dimension }
    },
    samples: (question) => qdrantSamples(question, catalogue, request(question), { url, alias, published }),
    close: () => index.close(),
  }

  function toRow(point: ScoredPoint<ItemPayload>): ScoredRow {
    return { row: rowOf(point), score: point.score }
  }

  function rowOf({ id, payload }: Omit<ScoredPoint<ItemPayload>, 'score'>): number {
    const row = catalogue.rowOf(String(payload.item_id ?? id))
    if (row !== undefined) return row
    throw new Error(
      `${alias} now holds item ${payload.item_id ?? id}, which it did not when the explorer read it: something else was published. Start the explorer again.`,
    )
  }
}

async function vectorsOf(index: Index<ItemPayload>, id: number | string): Promise<PublishedVectors> {
  for await (const { vector } of index.scroll({ filter: { must: [hasId(id)] }, vector: true, payload: false })) {
    return Array.isArray(vector) ? [''] : Object.keys(vector ?? {})
  }
  return []
}

async function* given(payloads: readonly ItemPayload[]): AsyncGenerator<ItemPayload> {
  yield* payloads
}
