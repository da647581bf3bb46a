/** The worker file: every task that a pool's threads can run, by name. */

export { curveShards } from '../evaluate/curve-shards.ts'
export { gramRowsShards } from '../linear-algebra/gram-rows.ts'
export { normShards, packShards } from '../recommend/index-shards.ts'
export { rankQueries } from '../recommend/rank-queries.ts'
export { choleskyShards } from '../train/cholesky-rows.ts'
export { initializeShards } from '../train/initialize-shards.ts'
export { gramShards, restoreShards, rotateShards } from '../train/product-shards.ts'
export { solveShards } from '../train/solve-shards.ts'
