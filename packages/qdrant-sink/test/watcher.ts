import { setTimeout as sleep } from 'node:timers/promises'
import { QdrantClient } from '@qdrant/js-client-rest'

/** A client that queries the alias without pause and keeps everything that an application would have been hurt by. */
export interface Watcher {
  /** Which publications answered, in the order of their first answer. */
  seen: number[]
  answers: number
  stop(): Promise<string[]>
}

export function watch(url: string, alias: string, rows: number): Watcher {
  const client = new QdrantClient({ url, checkCompatibility: false })
  const hurt: string[] = []
  const watcher: Watcher = { seen: [], answers: 0, stop }
  let stopped = false
  const loop = async (): Promise<void> => {
    while (!stopped) {
      try {
        const { points } = await client.query(alias, {
          query: [1, 0, 0, 0],
          limit: rows,
          with_payload: ['seed'],
          params: { exact: true },
        })
        const seeds = new Set(points.map(({ payload }) => payload?.seed as number))
        if (points.length !== rows) hurt.push(`${points.length} points in place of ${rows}`)
        if (seeds.size !== 1) hurt.push(`points of publications ${[...seeds].join(' and ')} in one answer`)
        for (const seed of seeds) if (watcher.seen.at(-1) !== seed) watcher.seen.push(seed)
        watcher.answers++
      } catch (error) {
        hurt.push(String((error as Error).message))
      }
      await sleep(5)
    }
  }
  const running = loop()
  async function stop(): Promise<string[]> {
    stopped = true
    await running
    return hurt
  }
  return watcher
}
