import { randomUUID } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const FILE = 'lock.json'
/** The holder touches its lock this often, in ms. */
const HEARTBEAT = 2000
/** A holder whose process cannot be looked up is taken for dead after so long without a heartbeat, as seen from here. */
const WATCH = 15_000
/** A process of this machine that is there but gave no sign for so long is another one with the same number. */
const REUSED = 60_000

interface Owner {
  readonly token: string
  readonly pid: number
  readonly host: string
  /** Process numbers mean something within one namespace of one machine: a container has its own. */
  readonly namespace: string
  readonly since: string
}

/** Another run holds a directory; the message says which. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError'
}

const held = new Set<string>()

/**
 * Makes a directory this run's own until the returned function is called. A lock whose owner has died is taken over: at
 * once where its process can be looked up, else after 15 s without a heartbeat.
 *
 * @throws DirectoryLockedError when another run has it.
 */
export async function lockDirectory(directory: string, signal?: AbortSignal): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, FILE)
  const owner: Owner = {
    token: randomUUID(),
    pid: process.pid,
    host: hostname(),
    namespace: namespaceOf(),
    since: new Date().toISOString(),
  }
  // Before the file is there: another call of this process must not take its writer for dead.
  held.add(owner.token)
  try {
    await takeLock(path, directory, owner, signal)
  } catch (error) {
    held.delete(owner.token)
    throw error
  }
  const timer = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), HEARTBEAT)
  timer.unref()
  return async () => {
    clearInterval(timer)
    held.delete(owner.token)
    if ((await readOwner(path))?.token === owner.token) await rm(path, { force: true })
  }
}

async function takeLock(path: string, directory: string, owner: Owner, signal: AbortSignal | undefined): Promise<void> {
  for (;;) {
    try {
      await writeFile(path, JSON.stringify(owner), { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const other = await readOwner(path)
      if (other?.token !== owner.token) {
        if (other && (await isAlive(path, other, signal))) throw locked(directory, other)
        await removeLock(path, other)
        continue
      }
    }
    // One that was slow to take over the lock before may have moved this one away: the file says whose it is.
    await sleep(50)
    const now = await readOwner(path)
    if (now?.token === owner.token) return
    if (now) throw locked(directory, now)
  }
}

/** Removes the lock of a dead owner. Another may have done so and have its own there by now: that one is put back. */
async function removeLock(path: string, dead: Owner | undefined): Promise<void> {
  const aside = `${path}.${randomUUID().slice(0, 8)}`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = await readOwner(aside)
  if (moved && moved.token !== dead?.token) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

/** Does `work` in a directory that is this run's own meanwhile, after the run that has it is done. */
export async function inOwnDirectory<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const unlock = await waitForDirectory(directory)
  try {
    return await work()
  } finally {
    await unlock()
  }
}

async function waitForDirectory(directory: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      return await lockDirectory(directory)
    } catch (error) {
      if (!(error instanceof DirectoryLockedError)) throw error
    }
    await sleep(200)
  }
}

/** Undefined when the lock is gone, or was cut off while it was written. */
async function readOwner(path: string): Promise<Owner | undefined> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      return JSON.parse(await readFile(path, 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      if (!(error instanceof SyntaxError)) throw error
      // It is being written.
      await sleep(10)
    }
  }
  return undefined
}

async function isAlive(path: string, owner: Owner, signal: AbortSignal | undefined): Promise<boolean> {
  if (held.has(owner.token)) return true
  const before = await heartbeatOf(path)
  if (owner.host === hostname() && owner.namespace === namespaceOf()) {
    return owner.pid !== process.pid && processExists(owner.pid) && Date.now() - before < REUSED
  }
  for (let waited = 0; waited < WATCH; waited += 500) {
    await sleep(500, undefined, { signal })
    const now = await heartbeatOf(path)
    if (now !== before) return now > 0
  }
  return false
}

/** When the lock was touched last, 0 when it is gone. */
async function heartbeatOf(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function namespaceOf(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function locked(directory: string, { pid, host, since }: Owner): DirectoryLockedError {
  return new DirectoryLockedError(
    `${directory} is in use by process ${pid} on ${host}, since ${since}. Wait until that run has ended, or give this one a directory of its own.`,
  )
}
