// Rows of a run by id. `lo` and `hi` hold the two words of every id, `rows` selects n of them (16 bits each).

/**
 * Counts the selected rows by id - min: low[slot] + 256 · carry[slot]. Returns the place in `rows` of the first id outside
 * [min, min + size), n if there is none.
 */
export function countIds(
  lo: usize, hi: usize, rows: usize, n: i32, min: f64, size: u32, low: usize, carry: usize,
): i32 {
  const first = <u64>min;
  for (let k: usize = 0; k < <usize>n; k++) {
    const slot = idAt(lo, hi, rows, k) - first;
    if (slot >= <u64>size) return <i32>k;
    const place = low + <usize>slot;
    const count = <u32>load<u8>(place) + 1;
    store<u8>(place, <u8>count);
    if (count == 256) {
      const above = carry + (<usize>slot << 2);
      store<u32>(above, load<u32>(above) + 1);
    }
  }
  return n;
}

/**
 * Dense row of each selected id to `out`, -1 where it is not active. `ranks` holds two words for each 32 ids: a bit for
 * each that is active, and how many are active before them.
 */
export function mapIds(
  lo: usize, hi: usize, rows: usize, n: i32, min: f64, size: u32, ranks: usize, out: usize,
): void {
  const first = <u64>min;
  for (let k: usize = 0; k < <usize>n; k++) {
    const slot = idAt(lo, hi, rows, k) - first;
    let row: i32 = -1;
    if (slot < <u64>size) {
      const words = load<u64>(ranks + (<usize>(slot >>> 5) << 3));
      const bits = <u32>words;
      const bit: u32 = 1 << (<u32>slot & 31);
      if (bits & bit) row = <i32>(<u32>(words >>> 32) + popcnt(bits & (bit - 1)));
    }
    store<i32>(out + (k << 2), row);
  }
}

// @ts-ignore: decorator
@inline function idAt(lo: usize, hi: usize, rows: usize, k: usize): u64 {
  const i = <usize>load<u16>(rows + (k << 1)) << 2;
  return (<u64>load<u32>(hi + i) << 32) | <u64>load<u32>(lo + i);
}
