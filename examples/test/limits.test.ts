import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readLimits, usableMemory, usableProcessors } from '../configuration/limits.ts'

const folder = mkdtempSync(join(tmpdir(), 'limits-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A root with these files. */
function root(name: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    const full = join(folder, name, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, `${text}\n`)
  }
  return join(folder, name)
}

test('version 2, in a container: the root is the group', () => {
  const at = root('container', {
    'proc/self/cgroup': '0::/',
    'sys/fs/cgroup/cpu.max': '150000 100000',
    'sys/fs/cgroup/memory.max': '4294967296',
  })
  expect(readLimits(at)).toEqual({ processors: 1.5, memory: 2 ** 32 })
})

test('version 2, on a host: the smallest limit of the group and those above it', () => {
  const at = root('host', {
    'proc/self/cgroup': '0::/kubepods.slice/pod7/task',
    'sys/fs/cgroup/kubepods.slice/pod7/task/cpu.max': 'max 100000',
    'sys/fs/cgroup/kubepods.slice/pod7/task/memory.max': '8589934592',
    'sys/fs/cgroup/kubepods.slice/pod7/cpu.max': '400000 100000',
    'sys/fs/cgroup/kubepods.slice/pod7/memory.max': '2147483648',
    'sys/fs/cgroup/kubepods.slice/memory.max': 'max',
  })
  expect(readLimits(at)).toEqual({ processors: 4, memory: 2 ** 31 })
})

test('version 1, controllers joined or apart; the largest number there is stands for no limit', () => {
  const joined = root('joined', {
    'proc/self/cgroup': '4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n1:name=systemd:/',
    'sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_quota_us': '250000',
    'sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_period_us': '100000',
    'sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes': '9223372036854771712',
  })
  expect(readLimits(joined)).toEqual({ processors: 2.5, memory: undefined })
  const apart = root('apart', {
    'proc/self/cgroup': '2:cpu:/a\n4:memory:/a',
    'sys/fs/cgroup/cpu/a/cpu.cfs_quota_us': '-1',
    'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000',
    'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
    'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '524288000',
  })
  expect(readLimits(apart)).toEqual({ processors: 0.5, memory: 524_288_000 })
})

test('without control groups: the machine', () => {
  expect(readLimits(join(folder, 'nothing'))).toEqual({ processors: undefined, memory: undefined })
  expect(usableProcessors()).toBeGreaterThanOrEqual(1)
  expect(usableProcessors()).toBeLessThanOrEqual(availableParallelism())
  expect(usableMemory()).toBeLessThanOrEqual(totalmem())
})
