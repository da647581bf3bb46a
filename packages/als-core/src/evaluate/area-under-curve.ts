import { compileKernel } from '../kernel/instantiate.ts'
import * as topk from '../kernel/rank.wasm.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { runShards } from '../pool/run-shards.ts'
import { sharedFloat64 } from '../pool/shared-arrays.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { type curveShards, type ScoreLayout, type ScoreShare, usersPerShard } from './curve-shards.ts'
import type { PopularityBucket } from './popularity-buckets.ts'

/**
 * AUC for each bucket: the probability that an item of the user's test entries scores above one that is in neither the
 * user's training nor test entries (ties count half), averaged over users. All items are scored, in float32; that takes a
 * copy of the item factors and the time of a product of all users and items.
 */
export async function areaUnderCurve(
  model: AlsModel,
  users: Uint32Array,
  { train, test }: { train: InteractionMatrix; test: InteractionMatrix },
  buckets: readonly Pick<PopularityBucket, 'members'>[],
  pool: WorkerPool,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const { factors: k, items, itemFactors, userFactors } = model
  const padded = Math.ceil(items / 8) * 8
  const panels = 65_536
  const queries = panels + padded * k * 4
  const threadBytes = 16 * (k + padded)
  const bytes = queries + threadBytes * pool.threads
  if (bytes > 2 ** 32) {
    throw new RangeError(
      `auc needs ${bytes} bytes of WebAssembly memory, which ends at ${2 ** 32}: leave auc out for a model of this size.`,
    )
  }
  const pages = Math.ceil(bytes / 65_536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const layout: ScoreLayout = { panels, queries, scores: queries + 16 * k, threadBytes }
  const share: ScoreShare = { module: compileKernel(topk), memory, layout, k, items }
  const packed = new Float32Array(memory.buffer, panels, padded * k)
  for (let item = 0; item < items; item++) {
    const lane = (item >> 3) * 8 * k + (item & 7)
    for (let i = 0; i < k; i++) packed[lane + 8 * i] = itemFactors[item * k + i]
  }
  const shards = Math.ceil(users.length / usersPerShard)
  // For each bucket: the sum of the users' values, then the number of users.
  const sums = sharedFloat64(2 * buckets.length * Math.max(1, shards))
  const matrices = { train: { csr: train.csr }, test: { csr: test.csr, codebook: test.codebook } }
  const members = buckets.map((bucket) => bucket.members)
  await runShards<typeof curveShards>(
    pool,
    'curveShards',
    shards,
    { share, userFactors, users, ...matrices, members, sums },
    { signal },
  )
  return buckets.map((_, b) => {
    let sum = 0
    let count = 0
    for (let shard = 0; shard < shards; shard++) {
      sum += sums[2 * (shard * buckets.length + b)]
      count += sums[2 * (shard * buckets.length + b) + 1]
    }
    return count > 0 ? sum / count : 0
  })
}
