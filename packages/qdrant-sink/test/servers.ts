import { randomUUID } from 'node:crypto'
import { QdrantClient } from '@qdrant/js-client-rest'
import type { Front } from './stand-in/front.ts'
import { startProxy } from './stand-in/proxy.ts'
import { startStandIn } from './stand-in/server.ts'

/**
 * A server under test: the stand-in, or the real one that QDRANT_URL names, behind a proxy that injects the same faults. On a real server
 * the suite uses aliases of its own and deletes what it made.
 */
export interface TestServer extends Front {
  client: QdrantClient
  /** A new alias. */
  alias(): string
}

const realUrl: string | undefined = process.env.QDRANT_URL

export const isReal: boolean = realUrl !== undefined

export async function startServer(): Promise<TestServer> {
  const front = realUrl === undefined ? await startStandIn() : await startProxy(realUrl)
  const client = new QdrantClient({ url: front.url, checkCompatibility: false })
  const aliases: string[] = []
  return {
    ...front,
    client,
    alias() {
      const alias = `test-${randomUUID().slice(0, 8)}`
      aliases.push(alias)
      return alias
    },
    async close() {
      front.faults.clear()
      await front.settled()
      const { collections } = isReal ? await client.getCollections() : { collections: [] }
      for (const { name } of collections)
        if (aliases.some((alias) => name.startsWith(alias))) await client.deleteCollection(name)
      await front.close()
    },
  }
}
