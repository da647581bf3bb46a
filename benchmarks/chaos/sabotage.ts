/**
 * Preloaded into the program under test: a disk that is full after so many bytes below a folder (`CHAOS_DISK`, as
 * `bytes folder`), and a clock that steps (`CHAOS_CLOCK`, as `after-ms step-ms`). In worker threads too.
 */
import fs, { type WriteStream } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { resolve } from 'node:path'

const { CHAOS_DISK, CHAOS_CLOCK } = process.env
if (CHAOS_DISK) fillDisk(...split(CHAOS_DISK))
if (CHAOS_CLOCK) stepClock(...(CHAOS_CLOCK.split(' ').map(Number) as [number, number]))

function split(text: string): [number, string] {
  const at = text.indexOf(' ')
  return [Number(text.slice(0, at)), resolve(text.slice(at + 1))]
}

/** Writes below the folder are cut where the bytes end, and refused from then on. */
function fillDisk(bytes: number, folder: string): void {
  let left = bytes
  const inFolder = (path: unknown) => typeof path === 'string' && resolve(path).startsWith(`${folder}/`)
  /** Bytes of a write of `length` that there is room for. */
  const take = (length: number): number => {
    if (left <= 0)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28 })
    const taken = Math.min(left, length)
    left -= taken
    return taken
  }
  const viewOf = (data: unknown): Uint8Array => {
    if (typeof data === 'string') return Buffer.from(data)
    const { buffer, byteOffset, byteLength } = data as NodeJS.ArrayBufferView
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
  }

  const descriptors = new Set<number>()
  const { openSync, closeSync, writeSync, writevSync, writeFileSync } = fs
  const open = fs.promises.open
  const writeFile = fs.promises.writeFile
  fs.openSync = (path, ...more) => {
    const descriptor = openSync(path, ...more)
    if (inFolder(path)) descriptors.add(descriptor)
    return descriptor
  }
  fs.closeSync = (descriptor) => {
    descriptors.delete(descriptor)
    closeSync(descriptor)
  }
  fs.writeSync = ((
    descriptor: number,
    data: NodeJS.ArrayBufferView,
    offset: number = 0,
    length?: number,
    position?: number,
  ) => {
    if (!descriptors.has(descriptor)) return writeSync(descriptor, data, offset, length, position)
    const view = viewOf(data)
    return writeSync(descriptor, view, offset, take(length ?? view.length - offset), position)
  }) as typeof fs.writeSync
  fs.writevSync = ((descriptor: number, views: NodeJS.ArrayBufferView[], position?: number) => {
    if (!descriptors.has(descriptor)) return writevSync(descriptor, views, position)
    const all = Buffer.concat(views.map(viewOf))
    return writeSync(descriptor, all, 0, take(all.length), position)
  }) as typeof fs.writevSync
  fs.writeFileSync = ((path: fs.PathOrFileDescriptor, data: string | NodeJS.ArrayBufferView, ...more: []) => {
    if (inFolder(path)) take(viewOf(data).length)
    writeFileSync(path, data, ...more)
  }) as typeof fs.writeFileSync
  fs.promises.writeFile = (async (path: string, data: string | NodeJS.ArrayBufferView, ...more: []) => {
    const whole = viewOf(data)
    if (!inFolder(path)) return writeFile(path, data, ...more)
    // The file is there, and holds what there was room for.
    const room = Math.max(0, Math.min(left, whole.length))
    await writeFile(path, whole.subarray(0, room), ...more)
    take(whole.length)
    if (room < whole.length) take(1)
  }) as typeof fs.promises.writeFile
  fs.promises.open = (async (path: string, ...more: []) => {
    const file = await open(path, ...more)
    if (!inFolder(path)) return file
    const write = file.write.bind(file) as (
      view: Uint8Array,
      offset: number,
      length: number,
      position?: number,
    ) => Promise<{ bytesWritten: number }>
    const cut = async (data: NodeJS.ArrayBufferView, offset = 0, length?: number, position?: number) => {
      const view = viewOf(data)
      return write(view, offset, take(length ?? view.length - offset), position)
    }
    const whole = async (data: string | NodeJS.ArrayBufferView) => {
      const view = viewOf(data)
      for (let at = 0; at < view.length; ) at += (await cut(view, at)).bytesWritten
    }
    return Object.assign(file, { write: cut, writeFile: whole, appendFile: whole })
  }) as unknown as typeof fs.promises.open
  syncBuiltinESMExports()
  // Nothing here writes through streams; if that changes, this must too.
  fs.createWriteStream = (): WriteStream => {
    throw new Error('createWriteStream is not sabotaged')
  }
}

/** Date jumps once by `step`, `after` ms from now. */
function stepClock(after: number, step: number): void {
  const begun = performance.now()
  const offset = () => (performance.now() - begun > after ? step : 0)
  const RealDate = Date
  globalThis.Date = class extends RealDate {
    constructor(...given: []) {
      if (given.length === 0) super(RealDate.now() + offset())
      else super(...given)
    }
    static override now(): number {
      return RealDate.now() + offset()
    }
  } as DateConstructor
}
