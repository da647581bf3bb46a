import { sharedFloat32 } from '../pool/shared-arrays.ts'

/** Rows as they were before a thread began with their shard: where the shard starts again when the thread dies. */
export interface KeptRows {
  /** Room per thread for the rows of the longest shard. */
  readonly values: Float32Array<SharedArrayBuffer>
  /** Length of a thread's room. */
  readonly room: number
  /** The shard in each thread's room, -1 for none. */
  readonly shards: Int32Array<SharedArrayBuffer>
}

export function makeKeptRows(threads: number, rows: number, padded: number): KeptRows {
  const room = rows * padded
  return {
    values: sharedFloat32(threads * room),
    room,
    shards: new Int32Array(new SharedArrayBuffer(4 * threads)),
  }
}
