/**
 * Users and items in Qdrant: "what would this user like" is then one query, without the model.
 *
 *     QDRANT_URL=http://localhost:6333 node examples/recipes/users-in-qdrant.ts haves/
 */
import { tasteSpace, train } from '@seesaw/als-core'
import { loadInteractions } from '@seesaw/loader'
import { forUser, Index, publish } from '@seesaw/qdrant-sink'

const [haves] = process.argv.slice(2)
const { QDRANT_URL: url } = process.env
if (haves === undefined || url === undefined) {
  console.error('QDRANT_URL=http://localhost:6333 node examples/recipes/users-in-qdrant.ts haves/')
  process.exit(2)
}
const { matrix, userIds, itemIds, interactionCounts } = await loadInteractions({
  sources: [{ name: 'haves', uri: haves }],
  thresholds: { user: 5, item: 5 },
})
const model = await train(matrix, { factors: 64, userIds, itemIds })

// In the taste space an inner product with a user's vector is the model's score.
const space = await tasteSpace(model)
const shape = { dimension: model.factors, distance: 'Dot' } as const
const { collection, points } = await publish({
  url,
  alias: 'recipe-items',
  vectors: { ids: itemIds, ...shape, data: await space.itemVectors(model.itemFactors) },
  payloads: (row) => ({ interaction_count: interactionCounts[row] }),
  indexes: { interaction_count: { type: 'integer', lookup: false, range: true } },
  users: {
    alias: 'recipe-users',
    vectors: { ids: userIds, ...shape, data: await space.userVectors(model.userFactors) },
  },
})
console.log(`${points} items in ${collection}`)

const index = new Index({ url, alias: 'recipe-items' })
const user = userIds.at(0)!
const own = matrix.csr.indices.subarray(0, matrix.csr.indptr[1])
const has = Array.from(own, (row) => itemIds.at(row)!)
console.log(`User ${user} has ${has.slice(0, 5).join(', ')}${has.length > 5 ? ', …' : ''} and would like:`)
for (const { id, score } of await index.query(forUser(user, { users: 'recipe-users', exclude: has, limit: 5 })))
  console.log(score.toFixed(3), id)
