import type { QueryRequest } from '@seesaw/qdrant-sink'
import { vectorNames } from '../../pipeline/served-vectors.ts'
import type { Sample } from '../answers.ts'
import { type Catalogue, wordFields } from './catalogue.ts'
import { literal } from './literal.ts'
import { type PublishedVectors, vectorFor } from './qdrant-question.ts'
import type { Question } from './source.ts'

interface Place {
  readonly url: string
  readonly alias: string
  readonly published: PublishedVectors
}

/** The program and the command that give a list from Qdrant. */
export function qdrantSamples(question: Question, catalogue: Catalogue, request: QueryRequest, place: Place): Sample[] {
  return [
    { title: 'TypeScript', text: program(question, catalogue, place) },
    { title: 'curl, to Qdrant', text: command(question, request, place) },
  ]
}

function program(
  { positive, negative, dial, filter, onePerArtist, limit }: Question,
  catalogue: Catalogue,
  { url, alias, published }: Place,
): string {
  const ids = (rows: readonly number[]) => `[${rows.map((row) => literal(catalogue.idOf(row))).join(', ')}]`
  const using = vectorFor(dial, published)
  const words = (Object.entries(wordFields) as [keyof typeof wordFields, string][]).flatMap(([field, column]) =>
    filter[field] === undefined ? [] : [`match('${column}', ${literal(filter[field])})`],
  )
  const ranges = [
    rangeOf('year', filter.from, filter.to),
    rangeOf('interaction_count', filter.interactions.min, filter.interactions.max),
  ].filter((text) => text !== undefined)
  const imports = ['blend', 'Index', ...(words.length > 0 ? ['match'] : []), ...(ranges.length > 0 ? ['range'] : [])]
  const must = [...words, ...ranges]
  const options = [
    `positive: ${ids(positive)}`,
    ...(negative.length > 0 ? [`negative: ${ids(negative)}`] : []),
    ...(using === undefined ? [] : [`using: ${literal(using)}`]),
    ...(dial === 'taste' && published.includes(vectorNames.example)
      ? [`examplesFrom: { alias: ${literal(alias)}, vector: '${vectorNames.example}' }`]
      : []),
    ...(must.length > 0 ? [`filter: { must: [${must.join(', ')}] }`] : []),
    `limit: ${limit}`,
  ]
  return [
    `import { ${imports.join(', ')} } from '@seesaw/qdrant-sink'`,
    '',
    `await using index = new Index({ url: ${literal(url)}, alias: ${literal(alias)} })`,
    'const request = blend({',
    ...options.map((option) => `  ${option},`),
    '})',
    ...(onePerArtist
      ? [
          `const groups = await index.queryGroups(request, { by: 'artists', size: 1, limit: ${limit} })`,
          'for (const { value, points } of groups) console.log(value, points[0].id, points[0].score)',
        ]
      : ['for (const { id, score } of await index.query(request)) console.log(id, score)']),
  ].join('\n')
}

function rangeOf(field: string, gte: number | undefined, lte: number | undefined): string | undefined {
  if (gte === undefined && lte === undefined) return undefined
  const bounds = [...(gte === undefined ? [] : [`gte: ${gte}`]), ...(lte === undefined ? [] : [`lte: ${lte}`])]
  return `range('${field}', { ${bounds.join(', ')} })`
}

function command({ onePerArtist, limit }: Question, request: QueryRequest, { url, alias }: Place): string {
  const { limit: _, ...search } = request
  const body = onePerArtist ? { ...search, group_by: 'artists', group_size: 1, limit } : request
  const path = onePerArtist ? 'points/query/groups' : 'points/query'
  const json = JSON.stringify(body, null, 1).replaceAll(/\n\s*/g, ' ')
  return [
    `curl -s ${quoted(`${url.replace(/\/$/, '')}/collections/${encodeURIComponent(alias)}/${path}`)}`,
    `-H 'content-type: application/json'`,
    `-d ${quoted(json)}`,
  ].join(' \\\n  ')
}

/** As one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
