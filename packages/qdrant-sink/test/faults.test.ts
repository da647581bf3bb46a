import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { generations, type PayloadIndexes, type PublishOptions, publish } from '../src/index.ts'
import { quick, tagged } from './catalogue.ts'
import { isReal, startServer, type TestServer } from './servers.ts'
import type { Fault, FaultRule, SeenRequest } from './stand-in/faults.ts'
import { watch } from './watcher.ts'

/*
 * The fault matrix of the README, a test per cell. In each, publication 1 serves, a client queries the alias in a loop, publication 2 is hit by
 * the fault at the step, and then a next run publishes the same input again, without faults.
 */

const rows = 100
/** Of an answer. 45 cells run at once: on a busy machine the stand-in takes a quarter of a second too, a real server seconds. */
const requestTimeout = isReal ? 3_000 : 1_000
const abortDeadline = isReal ? 15_000 : 3_000
const indexes: PayloadIndexes = { year: 'integer', styles: 'keyword', interaction_count: 'integer' }

/** The request that a step is known by. Ten batches: 5 have been sent at 50 %, 9 at 99 %. */
const steps = {
  create: { operation: 'createCollection' },
  index: { operation: 'createIndex', skip: 1 },
  'upload at 0 %': { operation: 'upsert' },
  'upload at 50 %': { operation: 'upsert', skip: 5 },
  'upload at 99 %': { operation: 'upsert', skip: 9 },
  restore: { operation: 'updateCollection', when: restores },
  verify: { operation: 'count' },
  swap: { operation: 'updateAliases', when: renames },
  delete: { operation: 'deleteCollection' },
} satisfies Record<string, Omit<FaultRule, 'fault'>>
type Step = keyof typeof steps

/** Word for word what Qdrant 1.19.0 answered from a file system of 320 MB. */
const diskFull = 'Service internal error: No space left on device: WAL buffer size exceeds available disk space'
const stepNames = Object.keys(steps) as Step[]

describe.concurrent('a fault that passes is retried, and publication 2 serves', () => {
  const passing: Record<string, Fault> = {
    reset: { kind: 'reset' },
    'reset after it was carried out': { kind: 'reset', applied: true },
    '5xx': { kind: 'status', status: 503 },
    '429': { kind: 'status', status: 429, retryAfter: '0' },
    timeout: { kind: 'hang' },
  }
  for (const [name, fault] of Object.entries(passing)) {
    test.each(stepNames)(`${name} at %s`, async (step) => {
      await inCell(step, async ({ server, alias, run, hit }) => {
        hit(fault, 2)
        await expect(run({ requestTimeout })).resolves.toMatchObject({
          cleaningFailed: undefined,
        })
        expect(server.faults.hits).toBe(step === 'swap' && fault.kind === 'reset' && fault.applied ? 1 : 2)
        return { serves: 2, states: ['live'], alias }
      })
    })
  }
})

describe.concurrent('an abort leaves publication 1 until the swap, and publication 2 from then on', () => {
  test.each(stepNames)('abort at %s', async (step) => {
    await inCell(step, async ({ run, hit, alias }) => {
      const controller = new AbortController()
      hit({ kind: 'call', call: () => controller.abort() })
      const outcome = run({ signal: controller.signal })
      // The swap is one request: an abort in its middle comes too late.
      if (step === 'swap' || step === 'delete') {
        await expect(outcome).resolves.toMatchObject({ cleaningFailed: 'aborted' })
        return { serves: 2, alias }
      }
      await expect(outcome).rejects.toMatchObject({ name: 'AbortError' })
      return { serves: 1, states: ['live'], alias }
    })
  })
})

describe.concurrent('a full disk ends the run, and what it has made is deleted', () => {
  test.each(stepNames)('disk full at %s', async (step) => {
    await inCell(step, async ({ run, hit, alias }) => {
      hit({ kind: 'status', status: 500, error: diskFull })
      if (step === 'delete') {
        await expect(run()).resolves.toMatchObject({ cleaningFailed: expect.stringContaining('No space left') })
        return { serves: 2, alias }
      }
      await expect(run()).rejects.toMatchObject({
        name: 'PublishError',
        temporary: false,
        message: expect.stringContaining('No space left'),
      })
      return { serves: 1, states: ['live'], alias }
    })
  })
})

describe.concurrent('a second publisher that swaps first wins, and the first says so', () => {
  test.each(stepNames)('second publisher at %s', async (step) => {
    await inCell(step, async ({ server, run, hit, alias }) => {
      hit({
        kind: 'call',
        call: async () =>
          void (await publish({ ...quick, indexes, keepGenerations: 0, url: server.url, alias, ...tagged(rows, 3) })),
      })
      if (step === 'delete') {
        await expect(run()).resolves.toMatchObject({ cleaningFailed: undefined })
        return { serves: 3, alias }
      }
      await expect(run()).rejects.toMatchObject({
        name: 'SupersededError',
        message: expect.stringContaining('Another publisher moved the alias'),
      })
      return { serves: 3, states: ['live'], alias }
    })
  })
})

describe.concurrent('kill -9 leaves a collection that the next run resumes', () => {
  test.each(stepNames)('kill -9 at %s', async (step) => {
    await inCell(step, async ({ server, hit, alias }) => {
      let child: ChildProcess | undefined
      hit({
        kind: 'call',
        call: async () => {
          child?.kill('SIGKILL')
          await once(child as ChildProcess, 'exit')
        },
      })
      const options = { url: server.url, alias, indexes, keepGenerations: 0, rows, seed: 2 }
      const publisher = fileURLToPath(new URL('./publisher.ts', import.meta.url))
      child = spawn(process.execPath, [publisher, JSON.stringify(options)])
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (said += text))
      await once(child, 'exit')
      expect(child.signalCode, said).toBe('SIGKILL')
      // The request under way when the process died is carried out by the server all the same.
      await server.settled()
      const left = (await generations({ url: server.url, alias })).map(({ state }) => state)
      if (step === 'swap' || step === 'delete') return { serves: 2, alias }
      expect(left).toEqual(['unfinished', 'live'])
      return { serves: 1, alias }
    })
  })
})

interface Cell {
  server: TestServer
  alias: string
  /** Publishes publication 2. */
  run(options?: Partial<PublishOptions>): ReturnType<typeof publish>
  /** Injects the fault at the cell's step. */
  hit(fault: Fault, times?: number): void
}

interface Outcome {
  alias: string
  /** The publication that serves now. */
  serves: number
  /** The generations on the server, where they are certain. */
  states?: string[]
}

async function inCell(step: Step, body: (cell: Cell) => Promise<Outcome>): Promise<void> {
  const server = await startServer()
  const alias = server.alias()
  const common = { ...quick, indexes, url: server.url, alias, keepGenerations: 0, graceDelay: 50, abortDeadline }
  try {
    await publish({ ...common, ...tagged(rows, 1) })
    const watcher = watch(server.url, alias, rows)
    const mine = (request: SeenRequest): boolean => (request.collection ?? JSON.stringify(request.body)).includes(alias)
    const { serves, states } = await body({
      server,
      alias,
      run: (options) => publish({ ...common, ...tagged(rows, 2), ...options }),
      hit(fault, times = 1) {
        const rule: Omit<FaultRule, 'fault'> = steps[step]
        const when = (request: SeenRequest): boolean => mine(request) && (rule.when?.(request) ?? true)
        server.faults.add({ ...rule, when, fault, times })
      },
    })
    expect(await servedBy(server, alias)).toBe(serves)
    if (states) expect((await generations({ url: server.url, alias })).map(({ state }) => state)).toEqual(states)

    server.faults.clear()
    const next = await publish({ ...common, ...tagged(rows, 2) })
    expect(await servedBy(server, alias)).toBe(2)
    expect(next.cleaningFailed).toBeUndefined()
    expect((await generations({ url: server.url, alias })).map(({ collection, state }) => [collection, state])).toEqual(
      [[next.collection, 'live']],
    )
    expect(await watcher.stop()).toEqual([])
    expect(watcher.answers).toBeGreaterThan(0)
    expect(watcher.seen[0]).toBe(1)
  } finally {
    await server.close()
  }
}

async function servedBy({ client }: TestServer, alias: string): Promise<unknown> {
  const { points } = await client.scroll(alias, { limit: 1 })
  return points[0].payload?.seed
}

function restores({ body }: SeenRequest): boolean {
  const threshold = (body?.optimizers_config as { indexing_threshold?: number } | undefined)?.indexing_threshold
  return threshold !== undefined && threshold > 0
}

function renames({ body }: SeenRequest): boolean {
  return (body?.actions as object[] | undefined)?.some((action) => 'rename_alias' in action) ?? false
}
