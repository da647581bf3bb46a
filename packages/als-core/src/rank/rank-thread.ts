import { type AreaLayout, planArea } from './layout.ts'
import type { RankingIndex } from './ranking-index.ts'

/** What `assembly/rank/kernel.ts` exports for ranking. */
export interface RankKernel {
  setIndex(...addressesThenItemsAndWidth: number[]): void
  setBlock(queries: number, candidates: number, scratch: number, capacity: number, limit: number): void
  addQuery(
    query: number,
    vector: number,
    k: number,
    rounding: number,
    weight: number,
    excludedFrom: number,
    excludedTo: number,
  ): void
  rank(count: number, from: number, to: number): void
  filledOf(query: number): number
}

/** A kernel on an index's memory, and the area of it that belongs to a task. */
export interface RankThread {
  readonly kernel: RankKernel
  readonly f32: Float32Array
  readonly u32: Uint32Array
  readonly at: AreaLayout
}

export function openThread({ id, module, memory, layout, count }: RankingIndex, area: number): RankThread {
  let kernel = instances.get(id)?.deref()
  if (!kernel) {
    for (const [other, instance] of instances) if (!instance.deref()) instances.delete(other)
    kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as RankKernel
    instances.set(id, new WeakRef(kernel))
  }
  return {
    kernel,
    f32: new Float32Array(memory.buffer),
    u32: new Uint32Array(memory.buffer),
    at: planArea(layout.areas + area * layout.areaBytes, layout.width, count),
  }
}

/** What this thread has instantiated, while anything of the index is alive. */
const instances = new Map<string, WeakRef<RankKernel>>()
