// Counting and radix sorts of one bucket. All are stable.

// @ts-ignore: decorator
@inline const RADIX_BITS: i32 = 11;

/**
 * Sorts n pairs (item, tag) by user, then by item: a radix sort by item, then a counting sort by user, which is tag >> 8, or
 * locals[tag] where `locals` is not 0. Returns where the sorted pairs are: `pairs` or `spare`. Afterwards offsets[u] is where user
 * u ends.
 */
export function sortRows(
  n: i32, pairs: usize, spare: usize, digits: usize, offsets: usize, itemBits: i32, users: i32, locals: usize,
): usize {
  const passes = (itemBits + RADIX_BITS - 1) / RADIX_BITS;
  const bits = (itemBits + passes - 1) / passes;
  const end = <usize>n << 3;
  let from = pairs, to = spare;
  for (let pass = 0; pass < passes; pass++) {
    const shift = pass * bits;
    const mask: u32 = (1 << bits) - 1;
    memory.fill(digits, 0, (<usize>mask + 1) << 2);
    for (let i: usize = 0; i < end; i += 8) increment(digits, (load<u32>(from + i) >>> shift) & mask);
    accumulate(digits, mask + 1);
    for (let i: usize = 0; i < end; i += 8) {
      const pair = load<u64>(from + i);
      store<u64>(to + (<usize>increment(digits, (<u32>pair >>> shift) & mask) << 3), pair);
    }
    const other = from; from = to; to = other;
  }
  memory.fill(offsets, 0, <usize>users << 2);
  for (let i: usize = 0; i < end; i += 8) increment(offsets, userOf(load<u32>(from + i + 4), locals));
  accumulate(offsets, users);
  for (let i: usize = 0; i < end; i += 8) {
    const pair = load<u64>(from + i);
    store<u64>(to + (<usize>increment(offsets, userOf(<u32>(pair >>> 32), locals)) << 3), pair);
  }
  return to;
}

/** Writes the entries of sorted pairs whose tags hold codes, the largest code of equal pairs, and each user's number of them. */
export function mergeCodes(pairs: usize, offsets: usize, users: i32, items: usize, codes: usize, lengths: usize): i32 {
  let out: usize = 0, from: usize = 0;
  for (let user: usize = 0; user < <usize>users; user++) {
    const to = <usize>load<u32>(offsets + (user << 2));
    const begun = out;
    for (let i = from; i < to; i++) {
      const item = load<u32>(pairs + (i << 3));
      const code = load<u8>(pairs + (i << 3) + 4);
      if (out > begun && load<u32>(items + ((out - 1) << 2)) == item) {
        if (code > load<u8>(codes + out - 1)) store<u8>(codes + out - 1, code);
      } else {
        store<u32>(items + (out << 2), item);
        store<u8>(codes + out, code);
        out++;
      }
    }
    store<u32>(lengths + (user << 2), <u32>(out - begun));
    from = to;
  }
  return <i32>out;
}

/** Counts n items by bucket. */
export function countBuckets(n: i32, items: usize, ofGroup: usize, shift: u32, counts: usize): void {
  for (let e: usize = 0; e < <usize>n; e++) {
    increment(counts, load<u16>(ofGroup + (<usize>(load<u32>(items + (e << 2)) >>> shift) << 1)));
  }
}

/**
 * Sorts n entries of a bucket of items by their place in it: users and values of 1 or 4 bytes. Afterwards ends[i] is where the
 * entries of item i end.
 */
export function sortEntries(
  n: i32, locals: usize, users: usize, values: usize, valueBytes: i32, items: i32, ends: usize,
  sortedUsers: usize, sortedValues: usize,
): void {
  memory.fill(ends, 0, <usize>items << 2);
  for (let e: usize = 0; e < <usize>n; e++) increment(ends, load<u16>(locals + (e << 1)));
  accumulate(ends, items);
  for (let e: usize = 0; e < <usize>n; e++) {
    const at = <usize>increment(ends, load<u16>(locals + (e << 1)));
    store<u32>(sortedUsers + (at << 2), load<u32>(users + (e << 2)));
    if (valueBytes == 1) store<u8>(sortedValues + at, load<u8>(values + e));
    else store<u32>(sortedValues + (at << 2), load<u32>(values + (e << 2)));
  }
}

// @ts-ignore: decorator
@inline function userOf(tag: u32, locals: usize): u32 {
  return locals == 0 ? tag >>> 8 : <u32>load<u16>(locals + (<usize>tag << 1));
}

/** counts[at]++ */
// @ts-ignore: decorator
@inline function increment(counts: usize, at: u32): u32 {
  const place = counts + (<usize>at << 2);
  const count = load<u32>(place);
  store<u32>(place, count + 1);
  return count;
}

/** Turns counts into the offset of each place. */
function accumulate(counts: usize, length: u32): void {
  let sum: u32 = 0;
  for (let i: usize = 0; i < <usize>length; i++) {
    const place = counts + (i << 2);
    const count = load<u32>(place);
    store<u32>(place, sum);
    sum += count;
  }
}
