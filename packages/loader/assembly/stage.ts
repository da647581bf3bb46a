// Rows on their way to buckets, gathered in a short queue for each. A queued row is a pair of words side by side, so that it
// touches one cache line: what goes along, and (place in the bucket) << 8 | code.

/** Called with places [from, to) of the queues when that bucket's is full; they are free again on return. */
@external("stage", "handOver")
declare function handOver(bucket: u32, from: u32, to: u32): void;

let ofGroup: usize, shift: u32, first: usize;
let next: usize, queueShift: u32, pairs: usize, values: usize, times: usize;

/** `values` and `times` are 0 unless values are not codes, or times are kept. */
export function openStage(
  ofGroup_: usize, shift_: u32, first_: usize, next_: usize, queueShift_: u32, pairs_: usize, values_: usize, times_: usize,
): void {
  ofGroup = ofGroup_; shift = shift_; first = first_;
  next = next_; queueShift = queueShift_; pairs = pairs_; values = values_; times = times_;
}

/**
 * Stages the rows of a run with a user and an item that are not negative, by user. Codes, values and times are by their place
 * `rows` in the run. Adds to drops[0] the rows without a user, to drops[1] those with a user but no item.
 */
export function stageRows(
  n: i32, users: usize, items: usize, rows: usize, codes: usize, values_: usize, times_: usize, drops: usize,
): void {
  let noUser: u32 = 0, noItem: u32 = 0;
  for (let k: usize = 0; k < <usize>n; k++) {
    const user = load<i32>(users + (k << 2));
    const item = load<i32>(items + (k << 2));
    if (user < 0) { noUser++; continue; }
    if (item < 0) { noItem++; continue; }
    const i = <usize>load<u16>(rows + (k << 1));
    const code: u32 = values == 0 ? load<u8>(codes + i) : 0;
    const value: f32 = values == 0 ? 0 : load<f32>(values_ + (i << 2));
    const time: f64 = times == 0 ? 0 : load<f64>(times_ + (i << 3));
    put(user, item, code, value, time);
  }
  store<u32>(drops, load<u32>(drops) + noUser);
  store<u32>(drops + 4, load<u32>(drops + 4) + noItem);
}

/** Stages the entries of users [user, user + count), by item; ends[u] is where user u's end. `codes` is 0 for values. */
export function stageEntries(user: u32, count: i32, ends: usize, items: usize, codes: usize, values_: usize): void {
  let e: usize = 0;
  for (let u: usize = 0; u < <usize>count; u++) {
    for (const end = <usize>load<u32>(ends + (u << 2)); e < end; e++) {
      const code: u32 = codes == 0 ? 0 : load<u8>(codes + e);
      const value: f32 = codes == 0 ? load<f32>(values_ + (e << 2)) : 0;
      put(load<u32>(items + (e << 2)), user + <u32>u, code, value, 0);
    }
  }
}

// @ts-ignore: decorator
@inline function put(row: u32, other: u32, code: u32, value: f32, time: f64): void {
  const b = <usize>load<u16>(ofGroup + (<usize>(row >>> shift) << 1));
  const at = load<u32>(next + (b << 2));
  const local = row - load<u32>(first + (b << 2));
  store<u64>(pairs + (<usize>at << 3), (<u64>((local << 8) | code) << 32) | <u64>other);
  if (values != 0) store<f32>(values + (<usize>at << 2), value);
  if (times != 0) store<f64>(times + (<usize>at << 3), time);
  const begun = <u32>b << queueShift;
  const full = at + 1 == begun + (1 << queueShift);
  store<u32>(next + (b << 2), full ? begun : at + 1);
  if (full) handOver(<u32>b, begun, at + 1);
}
