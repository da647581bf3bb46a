// A program for interruption.test.ts: work that takes no notice of its signal and has no end.
import { interruptible } from '../pipeline/interruption.ts'

await interruptible(async () => {
  setInterval(() => {}, 1000)
  console.error('working')
  await new Promise(() => {})
})
