import type { Catalogue } from './catalogue.ts'
import { literal } from './literal.ts'
import { metrics } from './metrics.ts'
import type { Question } from './source.ts'

/** The program that gives a list from the saved model. */
export function modelSample(
  { positive, negative, dial, filter, onePerArtist, limit }: Question,
  catalogue: Catalogue,
  directory: string,
): string {
  const rows = (list: readonly number[]) => `[${list.map((row) => literal(catalogue.idOf(row))).join(', ')}].map(row)`
  const conditions = conditionsOf(filter)
  const needsCatalogue = conditions.length > 0 || onePerArtist
  const { min, max } = filter.interactions
  const bounds = [...(min === undefined ? [] : [`min: ${min}`]), ...(max === undefined ? [] : [`max: ${max}`])]
  const options = [
    `limit: ${limit}`,
    ...Object.entries(metrics[dial]).map(([name, value]) => `${name}: ${literal(value)}`),
    ...(bounds.length > 0 ? [`interactionCount: { ${bounds.join(', ')} }`] : []),
    ...(conditions.length > 0 ? [`where: (row) =>\n      ${['item(row)', ...conditions].join(' &&\n      ')}`] : []),
    ...(onePerArtist ? ['perGroup: { groups: artists, max: 1 }'] : []),
  ]
  return [
    ...(needsCatalogue ? ["import { readFileSync } from 'node:fs'"] : []),
    "import { Recommender } from '@seesaw/als-core'",
    '',
    `await using recommender = await Recommender.open(${literal(directory)})`,
    'const row = (id: number | string) => recommender.itemRow(id)',
    ...(needsCatalogue
      ? [
          `const lines = readFileSync(${literal(`${directory}/catalogue.jsonl`)}, 'utf8').trim().split('\\n')`,
          'const items = new Map(lines.map((line) => JSON.parse(line)).map((item) => [item.item_id, item]))',
          'const item = (row: number) => items.get(recommender.model.itemIds!.at(row))',
        ]
      : []),
    ...(onePerArtist
      ? [
          // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the program's
          'const artists = Array.from({ length: recommender.model.items }, (_, row) => item(row)?.artists[0] ?? `row ${row}`)',
        ]
      : []),
    '',
    'const list = await recommender.blend(',
    `  { positive: ${rows(positive)}${negative.length > 0 ? `, negative: ${rows(negative)}` : ''} },`,
    '  {',
    ...options.map((option) => `    ${option},`),
    '  },',
    ')',
    'for (const { id, score } of list) console.log(id, score)',
  ].join('\n')
}

function conditionsOf({ genre, style, country, from, to }: Question['filter']): string[] {
  return [
    ...(genre === undefined ? [] : [`item(row).genres.includes(${literal(genre)})`]),
    ...(style === undefined ? [] : [`item(row).styles.includes(${literal(style)})`]),
    ...(country === undefined ? [] : [`item(row).country === ${literal(country)}`]),
    ...(from === undefined && to === undefined ? [] : ['item(row).year !== null']),
    ...(from === undefined ? [] : [`item(row).year >= ${from}`]),
    ...(to === undefined ? [] : [`item(row).year <= ${to}`]),
  ]
}
