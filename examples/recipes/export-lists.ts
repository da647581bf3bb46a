/**
 * The 100 best items of every user, as Parquet: user, rank, item, score. For a mailing, a cache, or another program.
 *
 *     node examples/recipes/export-lists.ts model/ lists.parquet 100
 *
 * `model/` is a folder that `saveModel` or `npm run train` wrote; what a user has is left out where it holds the interactions.
 */
import { Recommender } from '@seesaw/als-core'

const [folder, file, limit = '100'] = process.argv.slice(2)
if (file === undefined) {
  console.error('Name the model and the file: node examples/recipes/export-lists.ts model/ lists.parquet 100')
  process.exit(2)
}
await using recommender = await Recommender.open(folder)
const { users, rows } = await recommender.recommendAll(file, {
  limit: Number(limit),
  onProgress: ({ done, users }) => console.log(`${done} of ${users} users`),
})
console.log(`${rows} recommendations of ${users} users in ${file}`)
