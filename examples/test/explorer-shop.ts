import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type AlsModel, saveModel, train } from '@seesaw/als-core'
import { loadInteractions, readItems } from '@seesaw/loader'
import { publish } from '@seesaw/qdrant-sink'
import { startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { saveCatalogue } from '../pipeline/catalogue-file.ts'
import { ItemStore } from '../pipeline/item-store.ts'
import type { ItemPayload } from '../pipeline/payload.ts'
import { makeServedVectors } from '../pipeline/served-vectors.ts'
import recordShop from '../seesaw.config.ts'

/** What a title must not do: each would set `hurt` if it were taken for more than text. */
export const hostileTitles = [
  '<img src=x onerror="window.hurt=1">',
  '"><script>window.hurt=1</script>',
  "'; window.hurt=1; //",
  '</script><svg onload=window.hurt=1>',
]
export const hostileGenre = '<b onmouseover=window.hurt=1>Rock</b>'

/** A small record shop: its model saved with its catalogue. The titles and genres of the best known are hostile. */
export interface Shop {
  readonly directory: string
  readonly model: AlsModel
  readonly payloads: readonly ItemPayload[]
}

export async function makeShop(folder: string): Promise<Shop> {
  const place = join(folder, 'shop')
  const directory = join(folder, 'model')
  mkdirSync(place, { recursive: true })
  await writeCatalogue({ directory: place, users: 1500, releases: 500, seed: 3 })
  const { matrix, userIds, itemIds, interactionCounts } = await loadInteractions({
    sources: [{ name: 'haves', uri: join(place, 'haves'), user: 'user_id', item: 'release_id', confidence: 3 }],
    threads: 2,
  })
  const model = await train(matrix, { factors: 16, iterations: 5, threads: 2, userIds, itemIds })
  await saveModel(model, directory)
  const { payload } = recordShop.items!
  const items = new ItemStore({ ids: itemIds, counts: interactionCounts, payload: payload!, directory: folder })
  const byPopularity = Array.from(interactionCounts.keys()).sort(
    (a, b) => interactionCounts[b]! - interactionCounts[a]!,
  )
  const catalogue = { source: join(place, 'releases'), id: 'release_id', columns: Object.keys(payload!) }
  for await (const item of readItems({ ...catalogue, ids: itemIds, threads: 2 })) {
    const title = hostileTitles[byPopularity.indexOf(item.row)]
    items.add(title === undefined ? item : { ...item, values: { ...item.values, title, genres: [hostileGenre] } })
  }
  items.flush()
  await saveCatalogue(directory, items, new AbortController().signal)
  const payloads = Array.from({ length: items.length }, (_, row) => items.payload(row))
  items.close()
  return { directory, model, payloads }
}

/** The shop behind the alias `shop` of a stand-in for Qdrant. */
export async function publishShop({ model, payloads }: Shop): Promise<Awaited<ReturnType<typeof startStandIn>>> {
  const server = await startStandIn()
  const configuration = { qdrant: { vectors: 'both', users: false }, training: model.options, threads: 2 }
  const { items } = await makeServedVectors(
    { ...configuration, training: { ...model.options, factors: model.factors } } as never,
    model,
    new AbortController().signal,
  )
  await publish({
    url: server.url,
    alias: 'shop',
    vectors: items,
    payloads: (row) => ({ ...payloads[row]! }),
    pollInterval: 10,
  })
  return server
}
