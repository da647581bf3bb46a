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
    this.#running = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #watch(): Promise<void> {
    const body = JSON.stringify({ limit: 10_000, with_payload: true })
    while (!this.#stopped) {
      const answer = await fetch(this.#url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      const text = await answer.text()
      // Until the first publication there is no alias.
      if (answer.status === 404 && !this.#serving) await sleep(50)
      else if (answer.status !== 200) this.hurt.push(`the alias answers ${answer.status}: ${text}`)
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
