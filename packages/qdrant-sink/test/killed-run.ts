import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type Generation, generations } from '../src/index.ts'
import type { TestServer } from './servers.ts'

/** Publishes 300 points in a process that is killed after the twentieth upsert; what it leaves, and how far it came. */
export async function killedRun(
  server: TestServer,
  alias: string,
  options: { streamed?: boolean } = {},
): Promise<{ left: Generation; watermark: number }> {
  const upserts = () => server.requests.filter(({ operation }) => operation === 'upsert').length
  server.faults.add({ operation: 'upsert', fault: { kind: 'slow', milliseconds: 60 }, times: 30 })
  const publisher = fileURLToPath(new URL('./publisher.ts', import.meta.url))
  const settings = { url: server.url, alias, rows: 300, seed: 1, concurrency: 1, heartbeatInterval: 20, ...options }
  const child = spawn(process.execPath, [publisher, JSON.stringify(settings)], { stdio: 'ignore' })
  while (upserts() < 20) await sleep(10)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await server.settled()
  const [left] = await generations({ url: server.url, alias })
  expect(left).toMatchObject({ state: 'unfinished', record: { state: 'loading', points: 300 } })
  const watermark = left.record?.watermark as number
  expect(watermark).toBeGreaterThan(100)
  server.faults.clear()
  server.requests.length = 0
  return { left, watermark }
}
