import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { LoadError } from '../errors.ts'

export interface LocalAccess {
  write(locals: Uint16Array, at: number): void
  read(into: Uint16Array, at: number): void
}

/** The item places of the transposition, two bytes an entry, in memory or in a file. */
export function withLocals(locals: Uint16Array<SharedArrayBuffer> | string, use: (access: LocalAccess) => void): void {
  if (typeof locals !== 'string') {
    use({
      write: (values, at) => locals.set(values, at),
      read: (into, at) => into.set(locals.subarray(at, at + into.length)),
    })
    return
  }
  const file = openSync(locals, 'a+')
  closeSync(file)
  const handle = openSync(locals, 'r+')
  try {
    use({
      write: (values, at) => transfer(locals, values, at, (...args) => writeSync(handle, ...args)),
      read: (into, at) => transfer(locals, into, at, (...args) => readSync(handle, ...args)),
    })
  } finally {
    closeSync(handle)
  }
}

function transfer(
  path: string,
  values: Uint16Array,
  at: number,
  move: (bytes: Uint8Array, offset: number, length: number, position: number) => number,
): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  for (let done = 0; done < bytes.length; ) {
    let moved: number
    try {
      moved = move(bytes, done, bytes.length - done, 2 * at + done)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new LoadError(
        'disk',
        `The temporary file ${path} cannot be used (${code}). Free space, or set temporaryDirectory to a larger disk.`,
      )
    }
    if (moved === 0) throw new LoadError('disk', `The temporary file ${path} has lost its end.`)
    done += moved
  }
}
