/** Sizes that do not fit a test machine: offsets beyond 2^31 and 2^32, the plan of the memory. */
import { describe, expect, it } from 'vitest'
import { planMemory } from '../src/index.ts'
import { compileKernel } from '../src/kernel/instantiate.ts'
import * as solverBytes from '../src/kernel/solve.wasm.ts'
import { sharedFloat32, sharedFloat64, sharedUint32 } from '../src/pool/shared-arrays.ts'
import { makeKeptRows } from '../src/solve/kept-rows.ts'
import { BLOCK_ROWS, planLayout } from '../src/solve/layout.ts'
import { planSolveShards } from '../src/solve/plan-shards.ts'
import { shardTotals } from '../src/solve/row-system.ts'
import { solveShards } from '../src/solve/solve-shards.ts'
import { makeFactors } from './reference.ts'

describe('entries beyond 2^31', () => {
  // A billion users of three entries, and one of 2^32: only the offsets of a few rows are real.
  const rows = 200_000
  const indptr = new Float64Array(rows + 1)
  for (let row = 0; row < rows; row++) indptr[row + 1] = indptr[row] + (row === 777 ? 2 ** 32 : row % 50_000)

  it('are cut into shards that cover every row once, longest first', () => {
    expect(indptr[rows]).toBeGreaterThan(2 ** 33)
    const { count, bounds } = planSolveShards(indptr)
    const runs = Array.from({ length: count }, (_, s) => [bounds[2 * s], bounds[2 * s + 1]])
    const entries = runs.map(([first, end]) => indptr[end] - indptr[first])
    expect(entries).toEqual([...entries].sort((a, b) => b - a))
    expect(entries[0]).toBeGreaterThanOrEqual(2 ** 32)
    let next = 0
    for (const [first, end] of runs.sort((a, b) => a[0] - b[0])) {
      expect(first).toBe(next)
      next = end
    }
    expect(next).toBe(rows)
    // Apart from the one long row, no shard is longer than two million entries and a row.
    expect(entries[1]).toBeLessThan(2 ** 21 + 50_000)
  })

  it('are read where they are: rows past 2^32 are solved as at the start', () => {
    const near = solveFrom(0)
    for (const offset of [2 ** 31 - 3, 2 ** 32 - 3, 2 ** 40]) expect(solveFrom(offset)).toEqual(near)
    expect(near.some((value) => value !== 0)).toBe(true)
  })
})

/**
 * Solves three rows whose entries begin at `offset` of arrays that have just these entries: a view of them answers for
 * the places that the solver asks for, one by one or by `subarray`, as an array of that length would.
 */
function solveFrom(offset: number): number[] {
  const k = 8
  const layout = planLayout(k, 20, 4, 1)
  const pages = Math.ceil(layout.totalBytes / 65_536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const share = { module: compileKernel(solverBytes), memory, layout }
  new Float32Array(memory.buffer).set(makeFactors(20, k, 1), layout.fixed / 4)
  const order = Uint32Array.from({ length: 20 }, (_, row) => row)
  new Uint32Array(memory.buffer).set(
    [...order].flatMap((place) => [layout.fixed + place * 4 * k, 0]),
    layout.records / 4,
  )
  const counts = [2, 7, 3]
  const total = counts.reduce((sum, count) => sum + count, 0)
  const far = <T extends { subarray(from: number, to: number): T }>(array: T): T =>
    new Proxy(array, {
      get: (target, name) => {
        if (name === 'subarray') return (from: number, to: number) => target.subarray(from - offset, to - offset)
        return Reflect.get(target, String(Number(String(name)) - offset))
      },
      getPrototypeOf: (target) => Object.getPrototypeOf(target),
    })
  const indptr = sharedFloat64(counts.length + 1).fill(offset)
  counts.forEach((count, row) => {
    indptr[row + 1] = indptr[row] + count
  })
  const values = sharedFloat32(total)
  const indices = sharedUint32(total)
  for (let e = 0; e < total; e++) [values[e], indices[e]] = [1 + (e % 3), (e * 7) % 20]
  const solved = new Float32Array(counts.length * k)
  const failed = solveShards({
    share,
    slot: 0,
    board: { shards: 1, state: new Int32Array(new SharedArrayBuffer(16)) },
    bounds: Float64Array.of(0, counts.length),
    rows: {
      indptr,
      indices: far(indices),
      values: far(values),
    },
    values: solved,
    kept: makeKeptRows(1, counts.length, k),
    system: { alpha: 2, shift: 1, warm: false, tolerance: 0.01, maxSteps: 5 },
    order,
    restart: false,
    quantized: false,
    totals: shardTotals(1),
  })
  expect(failed).toBeUndefined()
  return [...solved]
}

describe('planLayout', () => {
  it('holds a fixed side of more than 4 GiB outside', () => {
    expect(planLayout(128, 7_900_000, 4, 8).outside).toBe(false)
    expect(planLayout(128, 8_500_000, 4, 8).outside).toBe(true)
    expect(planLayout(128, 31_000_000, 1, 8).outside).toBe(false)
    expect(planLayout(128, 32_000_000, 1, 8).outside).toBe(true)
    for (const [rows, bytes] of [
      [7_900_000, 4],
      [31_000_000, 1],
      [32_000_000, 1],
    ] as const) {
      expect(planLayout(128, rows, bytes, 8).totalBytes).toBeLessThanOrEqual(2 ** 32)
    }
  })

  it('gives every area its own place, aligned', () => {
    for (const k of [1, 8, 31, 128, 1000]) {
      const layout = planLayout(k, 10_000, 4, 3)
      const starts = Object.values(layout.areas)
      expect(starts).toEqual([...starts].sort((a, b) => a - b))
      expect(new Set(starts).size).toBe(starts.length)
      for (const at of [...starts, layout.fixed, layout.records, layout.transform, layout.scratch])
        expect(at % 16).toBe(0)
      expect(layout.areas.source - layout.areas.block).toBeGreaterThanOrEqual(BLOCK_ROWS * layout.padded * 4)
      expect(layout.fixed).toBeGreaterThanOrEqual(layout.scratch + 3 * layout.scratchBytes)
      expect(layout.totalBytes).toBeGreaterThanOrEqual(layout.fixed + 10_000 * layout.padded * 4)
    }
  })
})

describe('planMemory', () => {
  it('adds up the formula of the README', () => {
    const plan = planMemory({ users: 3e6, items: 1e6, entries: 1e9, factors: 128, threads: 2 })
    expect(plan.matrix).toBe(2 * 1e9 * 5 + 12 * (4e6 + 2))
    expect(plan.factors).toBe(4 * 128 * (3e6 + 2 * 1e6))
    expect(planMemory({ users: 3e6, items: 1e6, entries: 1e9, momentum: 0 }).factors).toBe(4 * 128 * 4e6)
    expect(plan.transformed).toBe((128 + 8) * 3e6)
    expect(plan.total).toBe(plan.matrix + plan.factors + plan.transformed + plan.scratch + plan.process)
    expect(plan.scratch + plan.process).toBeLessThan(210e6)
  })

  it('knows what the options cost', () => {
    const base = { users: 1e6, items: 1e5, entries: 1e8, threads: 2 }
    const plan = planMemory(base)
    expect(planMemory({ ...base, codes: false }).matrix - plan.matrix).toBe(6 * 1e8)
    expect(planMemory({ ...base, gatherPrecision: 'float32' }).transformed - plan.transformed).toBe(3 * 128 * 1e6)
    expect(planMemory({ ...base, solver: 'cholesky' }).transformed).toBe(0)
    expect(planMemory({ ...base, factors: 121 }).factors).toBe(plan.factors)
  })

  it.each(['users', 'items', 'entries', 'factors', 'threads'])('refuses %s of 0', (name) => {
    expect(() => planMemory({ users: 1, items: 1, entries: 1, [name]: 0 })).toThrow(new RegExp(`^${name} is 0`))
  })
})
