import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { catalogueIndexes } from '../../packages/qdrant-sink/test/catalogue.ts'
import { dimension } from './catalogue.ts'

export interface Server {
  url: string
  /** `qdrant 1.19.0`, or `stand-in`. */
  name: string
  stop(): void
}

/** The server that QDRANT_URL names, or the stand-in of the tests, in a process of its own as a server is. */
export async function findServer(): Promise<Server> {
  const url = process.env.QDRANT_URL
  if (url) {
    const { version } = (await (await fetch(url)).json()) as { version: string }
    return { url, name: `qdrant ${version}`, stop: () => {} }
  }
  const file = fileURLToPath(new URL('../../packages/qdrant-sink/test/stand-in/server.ts', import.meta.url))
  const child = spawn(process.execPath, ['--max-old-space-size=8192', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout }))
    return { url: line, name: 'stand-in', stop: () => child.kill() }
  throw new Error('The stand-in server did not start.')
}

/** Runs `load` on a collection made as `publish` makes it, payload indexes first and the vector index put off, and deletes it. */
export async function withCollection<T>(url: string, load: (collection: string) => Promise<T>): Promise<T> {
  const collection = `bench-${Date.now()}`
  await request(url, 'PUT', `/collections/${collection}`, {
    vectors: { size: dimension, distance: 'Cosine' },
    optimizers_config: { indexing_threshold: 0 },
  })
  try {
    for (const [field_name, field_schema] of Object.entries(catalogueIndexes)) {
      await request(url, 'PUT', `/collections/${collection}/index?wait=true`, { field_name, field_schema })
    }
    return await load(collection)
  } finally {
    await request(url, 'DELETE', `/collections/${collection}`)
  }
}

/** One request, no retries. Returns the `result`. */
export async function request(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(url + path, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { result: unknown }).result
}
