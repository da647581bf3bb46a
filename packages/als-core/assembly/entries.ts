// The entries of a block of rows, in four areas: where an entry's row of Z is, the unit of its codes, its weight w and its
// target b; and the row whose turn it is, which has a part of them.

let z: usize = 0, columns: usize = 0, rowBytes: usize = 0;
let allPlaces: usize = 0, allUnits: usize = 0, allWeights: usize = 0, allTargets: usize = 0;
/** Of the row under way. */
export let places: usize = 0, units: usize = 0, weights: usize = 0, targets: usize = 0;

/** Where Z is and the place and unit of each column, and the bytes of a row. */
export function setColumns(zAt: usize, columnsAt: usize, bytes: usize): void {
  z = zAt; columns = columnsAt; rowBytes = bytes;
}

export function setAreas(placesAt: usize, unitsAt: usize, weightsAt: usize, targetsAt: usize): void {
  allPlaces = placesAt; allUnits = unitsAt; allWeights = weightsAt; allTargets = targetsAt;
  enterRow(0);
}

/** The row whose entries begin with the areas' entry `first` is under way. */
export function enterRow(first: i32): void {
  const at = <usize>first << 2;
  places = allPlaces + at; units = allUnits + at; weights = allWeights + at; targets = allTargets + at;
}

/** Places and units of `count` entries from their columns at `indices`. */
export function placeEntries(indices: usize, count: i32): void {
  let at = allPlaces, unit = allUnits;
  for (const end = indices + (<usize>count << 2); indices < end; indices += 4, at += 4, unit += 4) {
    const column = columns + (<usize>load<u32>(indices) << 3);
    store<u32>(at, <u32>(z + <usize>load<u32>(column) * rowBytes));
    store<u32>(unit, load<u32>(column, 4));
  }
}

/** w and b of each entry from its value v: hkv w = α|v| - 1, ials w = α|v| (`shift` 1 or 0); b = α v where v > 0, else 0. */
export function weighValues(values: usize, count: i32, alpha: f32, shift: f32): void {
  const zero = f32x4.splat(0), al = f32x4.splat(alpha), sh = f32x4.splat(shift);
  for (let t: usize = 0; t < <usize>count << 2; t += 16) {
    const c = f32x4.mul(v128.load(values + t), al);
    v128.store(allWeights + t, f32x4.sub(f32x4.abs(c), sh));
    v128.store(allTargets + t, f32x4.max(c, zero));
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
  for (let q: usize = 0; q < <usize>count; q++) {
    const entry = table + (<usize>load<u8>(codes + q) << 3);
    store<u32>(allWeights + (q << 2), load<u32>(entry));
    store<u32>(allTargets + (q << 2), load<u32>(entry, 4));
  }
}
