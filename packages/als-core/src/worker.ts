/** The worker file: runs every task that a pool's threads know, by name. */
import { curveShards } from './evaluate/curve-shards.ts'
import { eigenShards } from './linear-algebra/eigen-shards.ts'
import { gramRowsShards } from './linear-algebra/gram-rows.ts'
import { multiplyRowsShards } from './linear-algebra/multiply-rows.ts'
import { collectGarbageOfThread } from './pool/collect-garbage.ts'
import { unpackLargeViews } from './pool/large-views.ts'
import { normShards, packShards } from './rank/index-shards.ts'
import { rankQueries } from './rank/rank-queries.ts'
import { choleskyShards } from './solve/cholesky-shards.ts'
import { extrapolateShards } from './solve/extrapolate-shards.ts'
import { gradientShards, moveShards, rowProductShards, rowResidualShards } from './solve/feature-shards.ts'
import { gramShards } from './solve/gram-shards.ts'
import { rebaseShards } from './solve/rebase-shards.ts'
import { restoreShards } from './solve/restore-shards.ts'
import { solveShards } from './solve/solve-shards.ts'
import { transformShards } from './solve/transform-shards.ts'
import { initializeShards } from './train/initialize-shards.ts'

const tasks: Record<string, (message: never) => unknown> = {
  choleskyShards,
  collectGarbage: collectGarbageOfThread,
  curveShards,
  eigenShards,
  extrapolateShards,
  gradientShards,
  gramRowsShards,
  gramShards,
  initializeShards,
  moveShards,
  multiplyRowsShards,
  normShards,
  packShards,
  rankQueries,
  rebaseShards,
  restoreShards,
  rowProductShards,
  rowResidualShards,
  solveShards,
  transformShards,
}

export default function work({ task, message }: { task: string; message: unknown }): unknown {
  return tasks[task](unpackLargeViews(message) as never)
}
