/** What the tests of training share. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { InteractionMatrix } from '../src/index.ts'
import { makeMatrix } from './reference.ts'

/** Enough entries for a dozen shards a half-sweep. */
export const matrix: InteractionMatrix = makeMatrix(
  Array.from({ length: 3000 }, (_, user) => (user === 0 ? 3000 : (user * 7) % 130)),
  5000,
)

/** A small one, for processes that are killed. */
export const smallMatrix: InteractionMatrix = makeMatrix(
  Array.from({ length: 200 }, (_, user) => user % 40),
  300,
)

const bytes = (factors: Float32Array) => Buffer.from(factors.buffer, factors.byteOffset, factors.byteLength)

/** Whether two arrays are the same to the bit. */
export const same = (a: Float32Array, b: Float32Array): boolean => bytes(a).equals(bytes(b))

export interface Child {
  readonly pid: number
  readonly ended: Promise<{ code: number | null; output: string }>
}

/** Starts a program of this folder as a process of its own, with flags of Node.js. */
export function startChild(file: string, args: string[], flags: string[] = []): Child {
  const child = spawn(process.execPath, [...flags, fileURLToPath(new URL(file, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output }))
  })
  return { pid: child.pid!, ended }
}

export function runChild(file: string, args: string[], flags: string[] = []): Child['ended'] {
  return startChild(file, args, flags).ended
}
