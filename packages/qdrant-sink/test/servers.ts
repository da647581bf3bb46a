import { randomUUID } from 'node:crypto'
import { QdrantClient } from '@qdrant/js-client-rest'
import type { Faults, SeenRequest } from './stand-in/faults.ts'
import { startProxy } from './stand-in/proxy.ts'
import { type StandIn, type StandInOptions, startStandIn } from './stand-in/server.ts'

/** A server under test: the stand-in, or the real one that QDRANT_URL names, where the suite uses aliases of its own and deletes what it made. */
export interface TestServer {
  url: string
  client: QdrantClient
  /** Undefined on a real server. */
  standIn: StandIn | undefined
  /** Faults to inject: by the stand-in itself, or by a proxy in front of the real server. */
  faults: Faults
  /** Requests seen, without the points of upserts. */
  requests: SeenRequest[]
  /** A new alias. */
  alias(): string
  close(): Promise<void>
}

const realUrl: string | undefined = process.env.QDRANT_URL

export const isReal: boolean = realUrl !== undefined

export async function startServer(options: StandInOptions = {}): Promise<TestServer> {
  const standIn = realUrl === undefined ? await startStandIn(options) : undefined
  const front = standIn ?? (await startProxy(realUrl as string))
  const { url, faults, requests } = front
  const client = new QdrantClient({ url, checkCompatibility: false })
  const aliases: string[] = []
  return {
    url,
    client,
    standIn,
    faults,
    requests,
    alias() {
      const alias = `test-${randomUUID().slice(0, 8)}`
      aliases.push(alias)
      return alias
    },
    async close() {
      if (standIn) return standIn.close()
      faults.clear()
      const { collections } = await client.getCollections()
      for (const { name } of collections)
        if (aliases.some((alias) => name.startsWith(alias))) await client.deleteCollection(name)
      await front.close()
    },
  }
}
