import { existsSync, readFileSync } from 'node:fs'

/**
 * Peak resident memory of this process in MB (10^6 bytes), as the kernel counted it. Not `maxRSS` where there is a choice:
 * that starts at what the parent held when it started this process.
 */
export function peakRssMb(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  const line = /VmHWM:\s+(\d+) kB/.exec(status)
  return ((line === null ? process.resourceUsage().maxRSS : Number(line[1])) * 1024) / 1e6
}

/** Processor seconds of this process so far, all threads. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
