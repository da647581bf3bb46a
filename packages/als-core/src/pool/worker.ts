/** The worker file: runs every task that a pool's threads know, by name. */
import { curveShards } from '../evaluate/curve-shards.ts'
import { eigenShards } from '../linear-algebra/eigen-shards.ts'
import { gramRowsShards } from '../linear-algebra/gram-rows.ts'
import { normShards, packShards } from '../recommend/index-shards.ts'
import { rankQueries } from '../recommend/rank-queries.ts'
import { choleskyShards } from '../train/cholesky-rows.ts'
import { initializeShards } from '../train/initialize-shards.ts'
import { gramShards, restoreShards, rotateShards } from '../train/product-shards.ts'
import { solveShards } from '../train/solve-shards.ts'
import { collectGarbage } from './collect-garbage.ts'
import { unpackLargeViews } from './large-views.ts'

const tasks: Record<string, (message: never) => unknown> = {
  choleskyShards,
  collectGarbage,
  curveShards,
  eigenShards,
  gramRowsShards,
  gramShards,
  initializeShards,
  normShards,
  packShards,
  rankQueries,
  restoreShards,
  rotateShards,
  solveShards,
}

export default function work({ task, message }: { task: string; message: unknown }): unknown {
  return tasks[task](unpackLargeViews(message) as never)
}
