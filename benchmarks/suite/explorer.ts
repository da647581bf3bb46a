/**
 * How fast the explorer answers over HTTP, a request at a time, on a model in memory: vectors in clusters, invented releases.
 *
 *   npm run bench -- explorer [--items 1000000] [--factors 128] [--requests 50] [--threads 2] [--quick]
 */
import { parseArgs } from 'node:util'
import { type AlsModel, Recommender } from '@seesaw/als-core'
import { inventReleases } from '../../examples/catalogue/releases.ts'
import { Catalogue } from '../../examples/explorer/server/catalogue.ts'
import { fromRecommender } from '../../examples/explorer/server/model-source.ts'
import { startServer } from '../../examples/explorer/server/start-server.ts'
import { cpuSeconds } from '../process-cost.ts'
import { randomStream } from '../random-stream.ts'
import { printTable } from '../solver/table.ts'

interface Line {
  question: string
  p50: number
  p99: number
  most: number
  /** Processor time of server and reader per request, over all threads. */
  cpu: number
}

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      items: { type: 'string', default: '1000000' },
      factors: { type: 'string', default: '128' },
      requests: { type: 'string', default: '50' },
      threads: { type: 'string', default: '2' },
      quick: { type: 'boolean', default: false },
    },
  })
  const items = values.quick ? 10_000 : Number(values.items)
  const model = makeModel(items, Number(values.factors))
  const recommender = new Recommender(model, { threads: Number(values.threads) })
  const began = performance.now()
  const catalogue = await Catalogue.read({
    ids: model.itemIds!,
    counts: model.interactionCounts!,
    payloads: payloads(items),
  })
  const read = performance.now()
  const source = await fromRecommender(recommender, catalogue, './model')
  const server = await startServer(source, { port: 0 })
  try {
    const ready = performance.now()
    console.log(
      `${items} items × ${model.factors} factors: catalogue in ${seconds(read - began)}, indexes and map in ${seconds(ready - read)}, ` +
        `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB in all.`,
    )
    const lines: Line[] = []
    for (const [question, path] of Object.entries(questions(items))) {
      const times: number[] = []
      const cpu = cpuSeconds()
      for (let n = 0; n < Number(values.requests); n++) {
        const url = server.listeningOrigin + path(n)
        const start = performance.now()
        const response = await fetch(url)
        const body = await response.text()
        times.push(performance.now() - start)
        if (!response.ok) throw new Error(`${url}: ${response.status} ${body}`)
      }
      const spent = (1000 * (cpuSeconds() - cpu)) / times.length
      times.sort((a, b) => a - b)
      const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))]!
      lines.push({ question, p50: at(0.5), p99: at(0.99), most: times.at(-1)!, cpu: spent })
    }
    printTable<Line>(
      [
        ['question', ({ question }) => question],
        ['p50, ms', ({ p50 }) => p50.toFixed(1)],
        ['p99, ms', ({ p99 }) => p99.toFixed(1)],
        ['longest, ms', ({ most }) => most.toFixed(1)],
        ['processor, ms', ({ cpu }) => cpu.toFixed(1)],
      ],
      lines,
    )
    return { items, p50: Math.max(...lines.map(({ p50 }) => p50)), p99: Math.max(...lines.map(({ p99 }) => p99)) }
  } finally {
    await server.close()
    await source.close()
  }
}

/** Paths of requests by what they ask; each request asks about other items. */
function questions(items: number): Record<string, (n: number) => string> {
  const id = (n: number) => firstId + ((n * 7919 + 13) % items)
  const near = (n: number, more: string) => `/api/neighbours?seed=${id(n)}${more}`
  const three = (n: number) => `&seed=${id(n + 1000)}&seed=${id(n + 2000)}&not=${id(n + 3000)}`
  const words = ['night', 'blue', 'tokyo', 'xyzzy', 'a', 'the wild', 'songs for', 'zq']
  return {
    'search a title': (n) => `/api/search?q=${words[n % words.length]}`,
    'best known of a genre': () => '/api/neighbours?genre=Jazz&from=1990',
    'one seed, likeness': (n) => near(n, ''),
    'one seed, half-way': (n) => near(n, '&dial=between'),
    'three seeds and a negative, taste': (n) => near(n, three(n)),
    'the same, of a genre and years': (n) => near(n, `${three(n)}&genre=Rock&from=1970&to=1989`),
    'hidden gems': (n) => near(n, '&popularity=-75'),
    'crowd favourites by taste': (n) => near(n, '&popularity=90&dial=taste'),
    'one per artist': (n) => near(n, '&artists=one&limit=50'),
    'why, three seeds': (n) => `/api/explain?seed=${id(n)}${three(n)}&item=${id(n + 4000)}`,
  }
}

const firstId = 1

/** Directions near one of 200 centres, lengths and counts that fall as a power of the rank. */
function makeModel(items: number, k: number): AlsModel {
  const random = randomStream(1, 0)
  const itemFactors = new Float32Array(new SharedArrayBuffer(4 * items * k))
  const centres = Float32Array.from({ length: 200 * k }, () => random() - 0.5)
  const interactionCounts = new Uint32Array(items)
  for (let row = 0; row < items; row++) {
    const centre = Math.floor(200 * random() ** 2) * k
    const popularity = (1 + random() * items) ** -0.7
    interactionCounts[row] = Math.ceil(50 + 100_000 * popularity)
    const length = Math.log(interactionCounts[row]!) / 10
    for (let i = 0; i < k; i++) itemFactors[row * k + i] = length * (centres[centre + i]! + 0.6 * (random() - 0.5))
  }
  const itemIds = Uint32Array.from({ length: items }, (_, row) => firstId + row)
  const options = {
    objective: 'hkv',
    regularization: 0.1,
    regularizationScaling: 'none',
    alpha: 1,
    unobservedWeight: 1,
  }
  return {
    factors: k,
    users: 1,
    items,
    userFactors: new Float32Array(new SharedArrayBuffer(4 * k)),
    itemFactors,
    itemIds,
    interactionCounts,
    options: { ...options, popularityExponent: 0 } as AlsModel['options'],
    history: [],
  }
}

/** 50,000 invented releases, again and again as other editions: inventing a million takes minutes. */
async function* payloads(items: number) {
  const releases = inventReleases(Math.min(items, 50_000), 1)
  for (let row = 0; row < items; row++) {
    const { title, year, country, artist, genres, styles } = releases[row % releases.length]!
    const edition = Math.floor(row / releases.length)
    const name = edition === 0 ? title : `${title} (${edition + 1})`
    yield {
      item_id: firstId + row,
      title: name,
      artists: [artist],
      year,
      country,
      genres,
      styles,
      interaction_count: 0,
    }
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}
