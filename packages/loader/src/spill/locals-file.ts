import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { LoadError } from '../errors.ts'

/** The item places of the transposition in a file, two bytes an entry, where memory has no room for them. */
export class LocalsFile {
  readonly #path: string
  readonly #handle: number

  constructor(path: string) {
    this.#path = path
    this.#handle = openSync(path, constants.O_RDWR | constants.O_CREAT)
  }

  write(locals: Uint16Array, at: number): void {
    this.#transfer((...args) => writeSync(this.#handle, ...args), locals, at)
  }

  read(into: Uint16Array, at: number): void {
    this.#transfer((...args) => readSync(this.#handle, ...args), into, at)
  }

  close(): void {
    closeSync(this.#handle)
  }

  #transfer(
    move: (bytes: Uint8Array, offset: number, length: number, position: number) => number,
    locals: Uint16Array,
    at: number,
  ): void {
    const bytes = new Uint8Array(locals.buffer, locals.byteOffset, locals.byteLength)
    for (let done = 0; done < bytes.length; ) {
      let moved: number
      try {
        moved = move(bytes, done, bytes.length - done, 2 * at + done)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        throw new LoadError(
          'disk',
          `The temporary file ${this.#path} cannot be used (${code}). Free space, or set temporaryDirectory to a larger disk.`,
        )
      }
      if (moved === 0) throw new LoadError('disk', `The temporary file ${this.#path} has lost its end.`)
      done += moved
    }
  }
}
