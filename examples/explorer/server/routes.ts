import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Explanation, Neighbours, Overview } from '../answers.ts'
import { bestKnown } from './best-known.ts'
import type { Catalogue } from './catalogue.ts'
import { drawMap } from './catalogue-map.ts'
import { BadRequest, parameters, readParameters } from './parameters.ts'
import { quoted } from './qdrant-samples.ts'
import { readQuestion, readRow } from './read-question.ts'
import type { Source } from './source.ts'

/** What the page asks for, as JSON. The map and the overview are made once, before the first request. */
export async function addRoutes(server: FastifyInstance, source: Source): Promise<void> {
  const { catalogue } = source
  const overview = JSON.stringify(describe(source))
  const map = JSON.stringify(await drawMap(source))

  server.get('/api/overview', (request, reply) => {
    readParameters(parameters.nothing, request.query)
    return reply.type('application/json').send(overview)
  })

  server.get('/api/map', (request, reply) => {
    readParameters(parameters.nothing, request.query)
    return reply.type('application/json').send(map)
  })

  server.get('/api/search', (request) => {
    const { q, limit } = readParameters(parameters.search, request.query)
    return { items: catalogue.search(q, limit) }
  })

  server.get('/api/neighbours', async (request, reply): Promise<Neighbours> => {
    const question = readQuestion(readParameters(parameters.neighbours, request.query), source)
    const { positive, negative, dial, filter } = question
    const began = performance.now()
    const found =
      positive.length > 0
        ? await source.neighbours(question, signalOf(reply))
        : bestKnown(catalogue, question).map((row) => ({ row, score: null }))
    const milliseconds = performance.now() - began
    reply.header('server-timing', `answer;dur=${milliseconds.toFixed(2)}`)
    return {
      seeds: positive.map((row) => catalogue.item(row)),
      negatives: negative.map((row) => catalogue.item(row)),
      dial,
      items: found.map(({ row, score }) => ({ ...catalogue.item(row), score })),
      interactions: filter.interactions,
      milliseconds: Number(milliseconds.toFixed(2)),
      samples: [...(positive.length > 0 ? source.samples(question) : []), ownCommand(request)],
    }
  })

  server.get('/api/explain', async (request, reply): Promise<Explanation> => {
    const { item, ...asked } = readParameters(parameters.explain, request.query)
    const question = readQuestion(asked, source)
    const row = readRow('item', item, catalogue)
    if (question.positive.length === 0) throw new BadRequest('seed: expected at least one to explain a score by')
    const shares = await source.explain(question, row, signalOf(reply))
    return {
      score: shares.reduce((sum, { share }) => sum + share, 0),
      shares: shares.map((each) => ({
        item: catalogue.item(each.row),
        share: each.share,
        negative: question.negative.includes(each.row),
      })),
      common: commonOf(row, question.positive, catalogue),
    }
  })
}

function describe({ name, catalogue, dials }: Source): Overview {
  const { genres, styles, country } = catalogue.columns
  return {
    source: name,
    items: catalogue.length,
    genres: genres.count(),
    styles: styles.count(),
    countries: country.count(),
    years: catalogue.years(),
    artists: catalogue.artists.words.length > 0,
    dials,
  }
}

/** Artists, genres, styles and country that a row has and a seed has too. */
function commonOf(row: number, seeds: readonly number[], catalogue: Catalogue): Explanation['common'] {
  const { genres, styles, country } = catalogue.columns
  const fields = { artists: catalogue.artists, styles, genres, country }
  return Object.entries(fields).flatMap(([field, column]) => {
    const values = Array.from(column.codes(row)).filter((code) => seeds.some((seed) => column.has(seed, code)))
    return values.length > 0 ? [{ field, values: values.map((code) => column.words[code]!) }] : []
  })
}

function ownCommand({ protocol, host, url }: FastifyRequest) {
  return { title: 'curl, to this page', text: `curl -s ${quoted(`${protocol}://${host}${url}`)}` }
}

/** Aborts when the reader has gone on to another question. */
function signalOf({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => controller.abort(new Error('the connection was closed')))
  return controller.signal
}
