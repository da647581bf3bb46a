/**
 * The HTTP service (`npm run serve`) under load: requests per second, latency and memory over many requests, for several
 * numbers of threads. Load generator and server share the machine.
 *
 *   npm run bench -- serve [--users 200000] [--items 100000] [--factors 128] [--requests 100000] [--connections 16] \
 *     [--threads 1,2,3] [--quick]
 *
 * `--requests` are lists for users; similar items and posted histories get a tenth of them each.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { type AlsModel, matrixFromCsr, saveModel } from '@seesaw/als-core'
import autocannon from 'autocannon'
import { randomStream } from '../random-stream.ts'
import { type Column, printTable } from '../solver/table.ts'

interface Line {
  readonly threads: number
  readonly question: string
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
  readonly mbBefore: number
  readonly mbAfter: number
}

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      users: { type: 'string' },
      items: { type: 'string' },
      factors: { type: 'string', default: '128' },
      requests: { type: 'string' },
      connections: { type: 'string', default: '16' },
      threads: { type: 'string', default: '1,2,3' },
      quick: { type: 'boolean', default: false },
    },
  })
  const users = Number(values.users ?? (values.quick ? 10_000 : 200_000))
  const items = Number(values.items ?? (values.quick ? 5000 : 100_000))
  const requests = Number(values.requests ?? (values.quick ? 5000 : 100_000))
  const connections = Number(values.connections)
  const folder = mkdtempSync(join(tmpdir(), 'bench-serve-'))
  try {
    await saveInvented(folder, users, items, Number(values.factors))
    const lines: Line[] = []
    for (const threads of values.threads.split(',').map(Number)) {
      lines.push(...(await measure(folder, threads, { users, items, requests, connections })))
    }
    printTable(columns, lines)
    const lists = lines.filter(({ question }) => question === 'lists for users')
    const best = lists.reduce((a, b) => (b.perSecond > a.perSecond ? b : a))
    const { threads, perSecond, p50, p99 } = best
    const growthMb = Math.max(...lines.map(({ mbBefore, mbAfter }) => mbAfter - mbBefore))
    const failed = lines.reduce((sum, line) => sum + line.failed, 0)
    return { users, items, requests, threads, perSecond, p50, p99, growthMb, failed }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const columns: Column<Line>[] = [
  ['threads', ({ threads }) => String(threads)],
  ['question', ({ question }) => question],
  ['requests per second', ({ perSecond }) => perSecond.toFixed(0)],
  ['p50, ms', ({ p50 }) => String(p50)],
  ['p99, ms', ({ p99 }) => String(p99)],
  ['failed', ({ failed }) => String(failed)],
  ['RSS before and after, MB', ({ mbBefore, mbAfter }) => `${mbBefore.toFixed(0)}, ${mbAfter.toFixed(0)}`],
]

interface Load {
  readonly users: number
  readonly items: number
  readonly requests: number
  readonly connections: number
}

async function measure(folder: string, threads: number, load: Load): Promise<Line[]> {
  const program = new URL('../../examples/serve.ts', import.meta.url).pathname
  const server = spawn(process.execPath, [program], {
    env: { ...process.env, OUTPUT_DIR: folder, PORT: '0', THREADS: String(threads), DRAIN_SECONDS: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(server, 'exit')
  try {
    const url = await addressOf(server)
    // Compiled code and the ranking index are there before anything is measured.
    await fire(url, 'lists for users', { ...load, requests: 2000 })
    const lines: Line[] = []
    for (const question of Object.keys(questions) as Question[]) {
      const mbBefore = rssMb(server)
      const amount = question === 'lists for users' ? load.requests : Math.ceil(load.requests / 10)
      const { requests, latency, errors, timeouts, non2xx, duration } = await fire(url, question, {
        ...load,
        requests: amount,
      })
      const failed = errors + timeouts + non2xx
      const perSecond = requests.total / duration
      const line = { perSecond, p50: latency.p50, p99: latency.p99, failed, mbBefore, mbAfter: rssMb(server) }
      lines.push({ threads, question, ...line })
    }
    return lines
  } finally {
    server.kill()
    await ended
  }
}

/** What is asked in the n-th request. */
const questions = {
  'lists for users': (n: number, { users }: Load) => ({ path: `/users/user-${(n * 7919) % users}/recommendations` }),
  'similar items': (n: number, { items }: Load) => ({ path: `/items/item-${(n * 7919) % items}/similar` }),
  'posted histories': (n: number, { items }: Load) => ({
    method: 'POST' as const,
    path: '/recommendations',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ items: Array.from({ length: 10 }, (_, i) => `item-${(n * 7919 + i * 104_729) % items}`) }),
  }),
}
type Question = keyof typeof questions

/** Other users and items in each request: what was asked before helps nobody. */
async function fire(url: string, question: Question, load: Load): Promise<autocannon.Result> {
  let n = 0
  const { requests: amount, connections } = load
  return await autocannon({
    url,
    amount,
    connections,
    requests: [{ setupRequest: (request) => ({ ...request, ...questions[question](n++, load) }) }],
  })
}

async function addressOf(server: ChildProcess): Promise<string> {
  for await (const line of createInterface(server.stdout!)) {
    const [url] = /http:\/\/[\d.]+:\d+/.exec(line) ?? []
    if (url === undefined) continue
    // What it logs from now on is not kept.
    server.stdout!.resume()
    return url
  }
  throw new Error('The server ended before it listened.')
}

function rssMb({ pid }: ChildProcess): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
  return (Number(kilobytes) * 1024) / 1e6
}

/** A model that is made, not trained, with 30 interactions per user. */
async function saveInvented(folder: string, users: number, items: number, k: number): Promise<void> {
  const random = randomStream(1, 0)
  const factorsOf = (rows: number) => {
    const factors = new Float32Array(new SharedArrayBuffer(4 * rows * k))
    for (let row = 0; row < rows; row++) {
      const length = 2 ** (-4 * random())
      for (let i = 0; i < k; i++) factors[row * k + i] = length * (random() - 0.5)
    }
    return factors
  }
  const perUser = 30
  const indptr = Float64Array.from({ length: users + 1 }, (_, user) => perUser * user)
  const indices = new Uint32Array(perUser * users)
  for (let user = 0; user < users; user++) {
    const start = Math.floor(random() * items)
    const own = Array.from({ length: perUser }, (_, i) => (start + 97 * i) % items)
    indices.set(
      own.sort((a, b) => a - b),
      perUser * user,
    )
  }
  const interactions = matrixFromCsr({
    users,
    items,
    indptr,
    indices,
    values: new Float32Array(indices.length).fill(1),
  })
  const model: AlsModel = {
    factors: k,
    users,
    items,
    userFactors: factorsOf(users),
    itemFactors: factorsOf(items),
    userIds: Array.from({ length: users }, (_, user) => `user-${user}`),
    itemIds: Array.from({ length: items }, (_, item) => `item-${item}`),
    options: {
      ...{ objective: 'hkv', regularization: 0.1, regularizationScaling: 'none', alpha: 1, unobservedWeight: 1 },
      popularityExponent: 0,
    } as AlsModel['options'],
    history: [],
  }
  await saveModel(model, folder, { interactions })
}
