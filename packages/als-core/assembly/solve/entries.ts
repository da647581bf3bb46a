// The entries of a block of rows, in two areas of 8 bytes per entry: the record of its column (the address of its row of Z and
// what int8-rows.ts says of its codes); its weight w and its target b. And the row under way, which has a part of them.

let columnRecords: usize = 0, allRecords: usize = 0, allWeights: usize = 0;
/** Of the row under way. */
export let records: usize = 0, weights: usize = 0;

/** Where the records of the columns are: one per row of the fixed side. */
export function setColumnRecords(columnRecordsAt: usize): void {
  columnRecords = columnRecordsAt;
}

export function setAreas(recordsAt: usize, weightsAt: usize): void {
  allRecords = recordsAt; allWeights = weightsAt;
  enterRow(0);
}

/** The row whose entries begin with the areas' entry `first` is under way. */
export function enterRow(first: i32): void {
  const at = <usize>first << 3;
  records = allRecords + at; weights = allWeights + at;
}

/** The records of `count` entries, looked up by their columns at `indices`. */
export function lookUpRecords(indices: usize, count: i32): void {
  let at = allRecords;
  for (const end = indices + (<usize>count << 2); indices < end; indices += 4, at += 8) {
    store<u64>(at, load<u64>(columnRecords + (<usize>load<u32>(indices) << 3)));
  }
}

/** w and b of each entry from its value v: hkv w = α|v| - 1, ials w = α|v| (`shift` 1 or 0); b = α v where v > 0, else 0. */
export function weighValues(values: usize, count: i32, alpha: f32, shift: f32): void {
  const zero = f32x4.splat(0), al = f32x4.splat(alpha), sh = f32x4.splat(shift);
  let at = allWeights;
  for (const end = values + (<usize>count << 2); values < end; values += 16, at += 32) {
    const c = f32x4.mul(v128.load(values), al), w = f32x4.sub(f32x4.abs(c), sh), b = f32x4.max(c, zero);
    v128.store(at, i32x4.shuffle(w, b, 0, 4, 1, 5));
    v128.store(at, i32x4.shuffle(w, b, 2, 6, 3, 7), 16);
  }
}

/** The same for the 256 values of a codebook, to a table of w and b in turn. */
export function weighCodebook(codebook: usize, alpha: f32, shift: f32, table: usize): void {
  for (const end = codebook + 1024; codebook < end; codebook += 4, table += 8) {
    const c = load<f32>(codebook) * alpha;
    store<f32>(table, abs(c) - shift);
    store<f32>(table, max<f32>(c, 0), 4);
  }
}

/** w and b of each entry from its one-byte code. */
export function weighCodes(codes: usize, count: i32, table: usize): void {
  let at = allWeights;
  for (const end = codes + <usize>count; codes < end; codes++, at += 8) {
    store<u64>(at, load<u64>(table + (<usize>load<u8>(codes) << 3)));
  }
}

/** The first words of four entries in an area, from `at` on. */
@inline export function firstOf4(at: usize): v128 {
  return i32x4.shuffle(v128.load(at), v128.load(at, 16), 0, 2, 4, 6);
}

/** The second words. */
@inline export function secondOf4(at: usize): v128 {
  return i32x4.shuffle(v128.load(at), v128.load(at, 16), 1, 3, 5, 7);
}
