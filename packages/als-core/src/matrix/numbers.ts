/** Any array of numbers: plain and typed ones, also the 64-bit integers of DuckDB and Arrow. */
export type NumericArray = ArrayLike<number> | ArrayLike<bigint>

/** The same numbers; 64-bit integers are copied to float64, where integers are exact to 2^53. */
export function toNumbers(array: NumericArray): ArrayLike<number> {
  return typeof array[0] === 'bigint'
    ? Float64Array.from(array as ArrayLike<bigint>, Number)
    : (array as ArrayLike<number>)
}
