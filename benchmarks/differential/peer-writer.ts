import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { startPeer } from '../peers/python.ts'
import type { WritePeer } from './run-seed.ts'

/** A Python process that writes files with pyarrow and polars, one at a time. */
export async function startWriter(): Promise<{ write: WritePeer; close: () => Promise<void> }> {
  const child = await startPeer('differential_write.py', [], 1)
  const lines = createInterface(child.stdout!)[Symbol.asyncIterator]()
  return {
    async write(from, to, writer) {
      child.stdin!.write(`${JSON.stringify({ from, to, ...writer })}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error('The Python process that writes files has ended.')
      return value === 'done' ? undefined : value
    },
    async close() {
      child.stdin!.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}
