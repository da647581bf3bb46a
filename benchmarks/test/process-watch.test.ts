import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ProcessWatch } from '../mission/process-watch.ts'

/** Holds 100 MB until it has used 0.4 s of a processor, by itself or in a child that holds as much and that it waits for. */
const worker = `
  const memory = Buffer.alloc(100e6, 1)
  while (process.cpuUsage().user < 400_000) for (let i = 0; i < 1e6; i++) memory[i]++
  setTimeout(() => {}, 800)
`
const parent = `
  ${worker}
  require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(worker)}])
`

test.skipIf(!existsSync('/proc/self/smaps_rollup'))(
  'what a process and its child have cost is told by spans of time, after the child has ended too',
  async () => {
    const began = Date.now()
    const child = spawn(process.execPath, ['-e', parent])
    const watch = new ProcessWatch(child.pid!)
    await once(child, 'exit')
    watch.stop()
    const whole = watch.cost(began, Date.now())
    expect(whole.cpuSeconds).toBeGreaterThan(0.75)
    // Both at a time.
    expect(whole.peakMb).toBeGreaterThan(220)
    expect(whole.peakMb).toBeLessThan(500)
    const middle = (began + Date.now()) / 2
    const halves = watch.cost(began, middle).cpuSeconds + watch.cost(middle, Date.now()).cpuSeconds
    expect(halves).toBeCloseTo(whole.cpuSeconds, 6)
  },
)
