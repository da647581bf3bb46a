import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'

/**
 * What the container allows, by its control groups: version 2 and version 1, this group's limit and those above it.
 * Node's own answers leave out limits of groups above and, for processors, version 1 with separate controllers.
 *
 * @param root where `/proc` and `/sys` are; another one for tests
 */
export function readLimits(root = '/'): { readonly processors?: number; readonly memory?: number } {
  const groups = readText(join(root, 'proc/self/cgroup')).split('\n').filter(Boolean)
  const processors: number[] = []
  const memory: number[] = []
  for (const group of groups) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(group) ?? []
    if (controllers === undefined || path === undefined) continue
    const names = controllers.split(',')
    for (const folder of withParents(path)) {
      const read = (base: string, file: string) => readText(join(root, 'sys/fs/cgroup', base, folder, file)).trim()
      if (controllers === '') {
        const [quota, period] = read('', 'cpu.max').split(' ').map(Number)
        processors.push(quota! / period!)
        memory.push(toNumber(read('', 'memory.max')))
      }
      if (names.includes('cpu')) {
        for (const base of [controllers, 'cpu']) {
          const quota = toNumber(read(base, 'cpu.cfs_quota_us'))
          if (quota > 0) processors.push(quota / toNumber(read(base, 'cpu.cfs_period_us')))
        }
      }
      if (names.includes('memory')) memory.push(toNumber(read('memory', 'memory.limit_in_bytes')))
    }
  }
  return { processors: smallest(processors), memory: smallest(memory.filter((bytes) => bytes < 2 ** 60)) }
}

/** Threads that can run at a time: the cores of the machine or of the process, no more than the container's quota. */
export function usableProcessors(): number {
  const { processors = Number.POSITIVE_INFINITY } = readLimits()
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(processors)))
}

/** Bytes that the process may use: the container's limit, else the machine's memory. */
export function usableMemory(): number {
  return Math.min(totalmem(), readLimits().memory ?? Number.POSITIVE_INFINITY)
}

/** `/a/b` as `/a/b`, `/a`, `/`: inside a container the outer part of the path is not there, and the root is its own group. */
function withParents(path: string): string[] {
  const parts = path.split('/').filter(Boolean)
  return Array.from({ length: parts.length + 1 }, (_, up) => `/${parts.slice(0, parts.length - up).join('/')}`)
}

function smallest(values: readonly number[]): number | undefined {
  const limits = values.filter((value) => value > 0 && Number.isFinite(value))
  return limits.length > 0 ? Math.min(...limits) : undefined
}

function toNumber(text: string): number {
  return text === '' ? Number.NaN : Number(text)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
