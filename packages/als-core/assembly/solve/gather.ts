// Rows of Z brought near: those that a row of the sparse matrix reads lie anywhere. `records` has the address of each (entries.ts).

/** Rows that are passed over together, so that the second look at them finds them in the first level cache. */
// @ts-ignore: decorator
@inline export const CHUNK: i32 = 64;

/** What the touching loads read; stored so that they are not optimised away. */
let touched: i32 = 0;

/**
 * WebAssembly has no prefetch instruction: this brings the lines of `rows` rows into the cache by loads that nothing waits
 * for, so that their misses overlap. On S the solve phase takes a quarter less for it. Interleaving
 * loads for the next rows with arithmetic on these was slower: the processor looks 320 instructions ahead.
 */
export function touch(records: usize, rows: i32, bytes: usize): void {
  let sum: i32 = 0;
  for (const end = records + (<usize>rows << 3); records < end; records += 8) {
    let row = <usize>load<u32>(records);
    const last = row + bytes;
    for (; row + 128 <= last; row += 128) sum |= load<i32>(row) | load<i32>(row, 64);
    for (; row < last; row += 64) sum |= load<i32>(row);
  }
  touched = sum;
}

/** Copies rows of `bytes` bytes, a multiple of 8, one after the other to `to`, and makes their records point at the copies. */
export function copyRows(records: usize, rows: i32, bytes: usize, to: usize): void {
  for (const end = records + (<usize>rows << 3); records < end; records += 8) {
    let row = <usize>load<u32>(records);
    store<u32>(records, <u32>to);
    for (const last = to + bytes; to < last; to += 8, row += 8) store<i64>(to, load<i64>(row));
  }
}

/** Copies `rows` rows of `bytes` bytes each, a multiple of 16, to where their records say. */
export function scatterRows(from: usize, rows: i32, bytes: usize, records: usize): void {
  for (const end = records + (<usize>rows << 3); records < end; records += 8) {
    let to = <usize>load<u32>(records);
    for (const last = from + bytes; from < last; from += 16, to += 16) v128.store(to, v128.load(from));
  }
}
