import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const train = fileURLToPath(new URL('../../examples/train.ts', import.meta.url))
const sabotage = new URL('./sabotage.ts', import.meta.url).href

/** How a run of the pipeline ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
  /** It had not ended when its time was up, and was killed. */
  readonly hung: boolean
}

/** `examples/train.ts` as a child process. */
export class Program {
  readonly ended: Promise<Ending>
  readonly #child: ChildProcess
  #hung = false

  /** @param limit milliseconds that it may take */
  constructor(environment: Readonly<Record<string, string>>, limit: number) {
    this.#child = spawn(process.execPath, ['--import', sabotage, train], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const timer = setTimeout(() => {
      this.#hung = true
      this.#child.kill('SIGKILL')
    }, limit)
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      clearTimeout(timer)
      return { code, signal, stderr, hung: this.#hung }
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}
