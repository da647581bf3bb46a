import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessCost {
  /** Of all its processes so far. */
  readonly cpuSeconds: number
  /** Sum of their high-water marks. */
  readonly peakRssMb: number
}

/** Clock ticks a second, as /proc counts: 100 on every Linux. */
const TICKS = 100

/** What the processes that have a variable in their environment have cost: Spark's JVM and Python, found by it. */
export function costOf(variable: string): ProcessCost {
  let ticks = 0
  let kilobytes = 0
  for (const pid of readdirSync('/proc')) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(variable)) continue
      // After the name, which may hold anything: fields 3 on; utime and stime are 14 and 15.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
      ticks += Number(fields[11]) + Number(fields[12])
      kilobytes += Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
    } catch {
      // Not a process, or no longer one.
    }
  }
  return { cpuSeconds: ticks / TICKS, peakRssMb: (kilobytes * 1024) / 1e6 }
}
