/**
 * Films for those who like some films, from a MovieLens folder (grouplens.org/datasets/movielens).
 *
 *     node examples/recipes/movielens.ts ml-latest-small 'Toy Story (1995)' 'Heat (1995)'
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { interactionsFrom, Recommender, train } from '@seesaw/als-core'
import { duckdbRows, quoted } from './duckdb-rows.ts'

const [folder = 'ml-latest-small', ...liked] = process.argv.slice(2)
if (!existsSync(join(folder, 'ratings.csv'))) {
  console.error(`${folder}/ratings.csv is missing. Download a MovieLens data set, unpack it and name its folder.`)
  process.exit(2)
}
const csv = (file: string) => `read_csv(${quoted(join(folder, file))})`

// Ratings of 3.5 stars and more say "liked", the more the more; those below say less than their absence, and are left out.
const ratings = duckdbRows(
  `SELECT userId, movieId, rating - 3 AS liking FROM ${csv('ratings.csv')} WHERE rating >= 3.5`,
)
const { matrix, itemIds } = await interactionsFrom(ratings, { user: 'userId', item: 'movieId', value: 'liking' })
console.log(`${matrix.entries} ratings of ${matrix.users} users for ${matrix.items} films`)

// A string is an id; a number would be a row of the model.
const titles = new Map<string, string>()
for await (const row of duckdbRows(`SELECT movieId, title FROM ${csv('movies.csv')}`)) {
  titles.set(String(row.movieId), String(row.title))
}
const idOf = new Map(Array.from(titles, ([id, title]) => [title, id]))

const model = await train(matrix, { factors: 64, regularization: 1, itemIds })
await using recommender = new Recommender(model)
const known = (liked.length > 0 ? liked : ['Toy Story (1995)']).filter((title) => {
  const id = idOf.get(title)
  const isKnown = id !== undefined && recommender.hasItem(id)
  if (!isKnown) console.log(`Nobody here likes "${title}": titles stand as in movies.csv, with the year.`)
  return isKnown
})
if (known.length === 0) process.exit(2)
console.log(`For somebody who likes ${known.join(' and ')}:`)
const films = await recommender.blend({ positive: known.map((title) => idOf.get(title)!) }, { limit: 10 })
for (const { id, score } of films) console.log(score.toFixed(3), titles.get(String(id)))
