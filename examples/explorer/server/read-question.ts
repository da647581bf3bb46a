import { type Catalogue, type ItemFilter, wordFields } from './catalogue.ts'
import { BadRequest, type QuestionParameters } from './parameters.ts'
import type { Question, Source } from './source.ts'

/**
 * A question of a source, from checked parameters. It may be without seeds.
 *
 * @throws BadRequest for an item, a word or a position of the dial that the source does not have
 */
export function readQuestion(asked: QuestionParameters, { catalogue, dials }: Source): Question {
  const positive = asked.seed.map((id) => readRow('seed', id, catalogue))
  const negative = asked.not.map((id) => readRow('not', id, catalogue))
  const both = asked.seed.find((id) => asked.not.includes(id))
  if (both !== undefined) throw new BadRequest(`seed=${both} and not=${both}: expected an item in one of them only`)
  // More like this for one item, the taste that they show for several.
  const natural = positive.length > 1 ? 'taste' : 'likeness'
  const dial = asked.dial ?? (dials.includes(natural) ? natural : dials[0]!)
  if (!dials.includes(dial)) {
    throw new BadRequest(`dial=${dial}: not published, expected ${dials.map((each) => `'${each}'`).join(' or ')}`)
  }
  return {
    positive,
    negative,
    dial,
    filter: readFilter(asked, catalogue),
    onePerArtist: asked.artists === 'one',
    limit: asked.limit,
  }
}

export function readRow(name: string, id: string, catalogue: Catalogue): number {
  const row = catalogue.rowOf(id)
  if (row === undefined) throw new BadRequest(`${name}=${id}: no such item`)
  return row
}

/** A word that no item has is a mistake; years and popularity may leave nothing. */
function readFilter({ from, to, popularity, ...asked }: QuestionParameters, catalogue: Catalogue): ItemFilter {
  if (from !== undefined && to !== undefined && from > to) {
    throw new BadRequest(`from=${from} is after to=${to}: expected the earlier year first`)
  }
  const words: Partial<Record<keyof typeof wordFields, string>> = {}
  for (const field of Object.keys(wordFields) as (keyof typeof wordFields)[]) {
    const word = asked[field]
    if (word === undefined) continue
    if (catalogue.columns[wordFields[field]].find(word) === undefined) {
      throw new BadRequest(`${field}=${word}: no item has it`)
    }
    words[field] = word
  }
  const interactions =
    popularity === 0
      ? {}
      : popularity < 0
        ? { max: catalogue.quantile(1 + popularity / 100) }
        : { min: catalogue.quantile(popularity / 100) }
  return {
    ...words,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    interactions,
  }
}
