// A program for interruption.test.ts: stops when told to, or ends in the way its argument says.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigurationError } from '../configuration/read-configuration.ts'
import { interruptible } from '../pipeline/interruption.ts'

await interruptible(async (signal) => {
  const [how] = process.argv.slice(2)
  if (how === 'fail') throw new Error('the store is closed', { cause: new Error('no such bucket') })
  if (how === 'misconfigured') throw new ConfigurationError(['SEED=x: expected an integer'])
  if (how === 'done') return
  const idle = setInterval(() => {}, 1000)
  console.error('working')
  await once(signal, 'abort')
  await sleep(300)
  clearInterval(idle)
  console.error('work in flight has ended')
  signal.throwIfAborted()
})
