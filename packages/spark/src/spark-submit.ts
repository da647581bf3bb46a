import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { SparkError } from './errors.ts'

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last lines of both streams, the job's own messages left out. */
  readonly log: string
}

/** Orderly ends take 1 to 2 s; what is left of the process group after this is killed. */
const MILLISECONDS_TO_END = 8000
const LINES_KEPT = 60

/**
 * Runs spark-submit in a process group of its own, to its end. An abort sends it SIGTERM, on which Spark stops its
 * executors and removes its files, and kills the group if that takes longer than 8 s.
 *
 * @param onLine gets each line of standard output; true means it is understood and need not be kept
 */
export async function runSparkSubmit(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => boolean,
  signal?: AbortSignal,
): Promise<Ending> {
  signal?.throwIfAborted()
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const log: string[] = []
  const keep = (line: string) => {
    log.push(line)
    if (log.length > LINES_KEPT) log.shift()
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!onLine(line)) keep(line)
  })
  createInterface({ input: child.stderr }).on('line', keep)
  const ended = Promise.withResolvers<Omit<Ending, 'log'>>()
  let deadline: NodeJS.Timeout | undefined
  const killLater = () => {
    deadline ??= setTimeout(() => killGroup(child), MILLISECONDS_TO_END)
  }
  const abort = () => {
    child.kill('SIGTERM')
    killLater()
  }
  child.on('error', (error: NodeJS.ErrnoException) => ended.reject(notStarted(command, error)))
  // What the leader leaves behind holds the streams open: it has the same time.
  child.on('exit', killLater)
  child.on('close', (code, name) => ended.resolve({ code, signal: name }))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return { ...(await ended.promise), log: log.join('\n') }
  } finally {
    signal?.removeEventListener('abort', abort)
    clearTimeout(deadline)
    killGroup(child)
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left of it.
  }
}

function notStarted(command: string, { code, message }: NodeJS.ErrnoException): SparkError {
  const found = code === 'ENOENT' ? 'was not found' : `cannot be started (${code ?? message})`
  return new SparkError(
    'spark-submit',
    `"${command}" ${found}. Install Spark 4 (pip install pyspark numpy), or give spark.submit its path and spark.environment the PATH.`,
  )
}
