import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** A client that reads an alias without pause and keeps everything that an application would have been hurt by. */
export class Watcher {
  readonly hurt: string[] = []
  answers = 0
  #serving = false
  #stopped = false
  readonly #url: string
  readonly #sizes: ReadonlySet<number>
  readonly #running: Promise<void>

  /** @param sizes points that a complete collection has, one of them */
  constructor(server: string, alias: string, sizes: ReadonlySet<number>) {
    this.#url = `${server}/collections/${alias}/points/scroll`
    this.#sizes = sizes
    this.#running = this.#watch().catch((error) => {
      this.hurt.push(`the client of the alias ended: ${error}`)
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #watch(): Promise<void> {
    const body = JSON.stringify({ limit: 10_000, with_payload: true })
    while (!this.#stopped) {
      const { status, text } = await post(this.#url, body)
      // Until the first publication there is no alias.
      if (status === 404 && !this.#serving) await sleep(50)
      else if (status !== 200) this.hurt.push(`the alias answers ${status}: ${text}`)
      else {
        this.#serving = true
        this.answers++
        const { points } = (JSON.parse(text) as { result: { points: { payload: Record<string, unknown> }[] } }).result
        if (!this.#sizes.has(points.length)) this.hurt.push(`the alias has ${points.length} points`)
        if (points.some(({ payload }) => typeof payload?.title !== 'string')) this.hurt.push('a point has no title')
      }
      await sleep(20)
    }
  }
}

/** On a connection of its own: one kept alive may be closed by the server just as it is used again. */
function post(url: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(url, { method: 'POST', headers, agent: false }, async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      resolve({ status: answer.statusCode!, text: Buffer.concat(chunks).toString() })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
