import { LoadError } from '../errors.ts'
import type { Buckets } from './buckets.ts'
import type { RunSink } from './stage.ts'

/**
 * Where the second pass puts its rows, bucket by bucket, in no particular order within one. `items` and `values` are the
 * arrays of the finished matrix: sorting and merging happens in place, so that the rows are never held twice.
 */
export interface ScatterArea {
  readonly items: Uint32Array<SharedArrayBuffer>
  readonly values: Uint8Array<SharedArrayBuffer> | Float32Array<SharedArrayBuffer>
  /** User of each row as its place in the bucket; later the item of each entry in the same way. */
  readonly locals: Uint16Array<SharedArrayBuffer>
  /** Milliseconds since 1970, when the latest of several signals wins or times are kept. */
  readonly times?: Float64Array<SharedArrayBuffer>
  /** Rows in each bucket so far. */
  readonly filled: Int32Array<SharedArrayBuffer>
}

export function createScatterArea(buckets: Buckets, coded: boolean, timed: boolean): ScatterArea {
  const capacity = buckets.start[buckets.count]
  return {
    items: new Uint32Array(new SharedArrayBuffer(4 * capacity)),
    values: coded
      ? new Uint8Array(new SharedArrayBuffer(capacity))
      : new Float32Array(new SharedArrayBuffer(4 * capacity)),
    locals: new Uint16Array(new SharedArrayBuffer(2 * capacity)),
    times: timed ? new Float64Array(new SharedArrayBuffer(8 * capacity)) : undefined,
    filled: new Int32Array(new SharedArrayBuffer(4 * buckets.count)),
  }
}

/** Puts runs into the area: one atomic add reserves the place of a whole run, so workers never wait for each other. */
export function areaSink({ start }: Buckets, area: ScatterArea): RunSink {
  const coded = area.values instanceof Uint8Array
  const timed = area.times !== undefined
  return {
    coded,
    timed,
    put(bucket, { pairs, values, times }, from, to) {
      const at = start[bucket] + Atomics.add(area.filled, bucket, to - from)
      if (at + to - from > start[bucket + 1]) {
        throw new LoadError('changed', 'the second pass found more rows of a user than the first: a file has changed.')
      }
      // In loops: V8 copies to shared memory byte by byte where the two sides are not aligned alike.
      const { items, locals, values: codes } = area
      const shift = at - from
      for (let i = from; i < to; i++) {
        const tag = pairs[2 * i + 1]
        items[i + shift] = pairs[2 * i]
        locals[i + shift] = tag >>> 8
        codes[i + shift] = coded ? tag & 255 : values[i]
      }
      if (timed) area.times!.set(times.subarray(from, to), at)
    },
  }
}
