import { readFileSync } from 'node:fs'

/** Peak resident memory of this process in MB (10^6 bytes), as the kernel counted it. */
export function peakRssMb(): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
  return line === null ? process.resourceUsage().maxRSS / 1000 : (Number(line[1]) * 1024) / 1e6
}

/** Processor seconds of this process so far, all threads. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
