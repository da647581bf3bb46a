import { test as base } from 'vitest'
import { type PublishOptions, publish } from '../src/index.ts'
import { quick, tagged } from './catalogue.ts'
import { startServer, type TestServer } from './servers.ts'

export interface Publication {
  server: TestServer
  alias: string
  /** Publishes a small catalogue under the alias. */
  run(options?: Partial<PublishOptions>): ReturnType<typeof publish>
}

/** A test with a server and an alias of its own. */
export const test = base.extend<Publication>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern what a fixture needs
  server: async ({}, use) => {
    const server = await startServer()
    await use(server)
    await server.close()
  },
  alias: ({ server }, use) => use(server.alias()),
  run: ({ server, alias }, use) =>
    use((options = {}) => publish({ ...quick, url: server.url, alias, ...tagged(100, 1), ...options })),
})
