import { constants } from 'node:os'
import { ConfigurationError } from '../configuration/read-configuration.ts'

/** The reason of the AbortSignal when SIGINT or SIGTERM came. */
export class Interruption extends Error {
  override readonly name: string = 'Interruption'
  /** 130 for SIGINT, 143 for SIGTERM: 128 and the number of the signal, as a shell reports it. */
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`${signal} received`)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/** Orderly ends take well under this; what is still running then is given up, so that the process ends within 10 s. */
const secondsToEnd = 9

/** One Ctrl-C reaches a program started through npm twice: from the terminal, and again from npm, which forwards it. */
const echoMilliseconds = 500

/**
 * Runs a program that can be interrupted. The first SIGINT or SIGTERM aborts `signal`: no new work begins, work in
 * flight ends. A second one exits at once. Exit code: 0, 130 or 143 after a signal, 2 for a bad configuration, 1 for
 * any other error.
 */
export async function interruptible(program: (signal: AbortSignal) => Promise<void>): Promise<never> {
  const controller = new AbortController()
  let firstAt = 0
  const interrupt = (name: 'SIGINT' | 'SIGTERM') => {
    const interruption = new Interruption(name)
    if (controller.signal.aborted) {
      if (performance.now() - firstAt < echoMilliseconds) return
      console.error(`${name} again: stopped at once.`)
      process.exit(interruption.exitCode)
    }
    firstAt = performance.now()
    // First, so that whoever draws on the terminal has stopped before the message.
    controller.abort(interruption)
    console.error(`${name}: no new work; what is under way ends first (once more to stop at once).`)
    setTimeout(() => {
      console.error(`Not ended after ${secondsToEnd} s: given up.`)
      process.exit(interruption.exitCode)
    }, secondsToEnd * 1000).unref()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  // `| head` closes standard output when it has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    await program(controller.signal)
  } catch (error) {
    if (!controller.signal.aborted) {
      console.error(describe(error))
      process.exit(error instanceof ConfigurationError ? 2 : 1)
    }
  }
  if (controller.signal.aborted) {
    const { message, exitCode } = controller.signal.reason as Interruption
    console.error(`Stopped: ${message}.`)
    process.exit(exitCode)
  }
  process.exit(0)
}

/** The message and those of its causes; the stack only for a mistake in the program. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof TypeError || error instanceof ReferenceError) return error.stack ?? error.message
  const cause = error.cause instanceof Error && !error.message.includes(error.cause.message) ? error.cause : undefined
  return `${error.message}${cause ? `\n  because: ${describe(cause)}` : ''}`
}
