import { OptionError, type Recommender, RequestError } from '@seesaw/als-core'
import fastify, { type FastifyError, type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import { addMetrics, type Metrics } from './metrics.ts'
import { addRoutes } from './routes.ts'

export interface ServerOptions {
  readonly logger?: FastifyServerOptions['logger']
  /** Requests under way above which more are answered with 503 at once. Default: 1,000. */
  readonly maxInFlight?: number
}

export interface RecommendationServer {
  readonly app: FastifyInstance
  readonly metrics: Metrics
  /** From now on `/ready` says 503, so that no more requests are sent here. */
  drain(): void
}

/** An HTTP server of a recommender's answers; who made the recommender closes it. */
export function createServer(
  recommender: Recommender,
  { logger = false, maxInFlight = 1000 }: ServerOptions = {},
): RecommendationServer {
  const app = fastify({
    logger,
    logController: new LogController({ disableRequestLogging: true }),
    // Keep-alive connections without a request under way are closed with the server.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
    ajv: { customOptions: { removeAdditional: false } },
  })
  let ready = true
  let inFlight = 0
  app.addHook('onRequest', async (_, reply) => {
    if (++inFlight <= maxInFlight) return
    await reply
      .code(503)
      .header('retry-after', '1')
      .send({ code: 'OVERLOADED', message: 'Too many requests under way.' })
  })
  app.addHook('onResponse', async () => {
    inFlight--
  })
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, code } = describe(error)
    if (status >= 500) request.log.error(error)
    return reply.code(status).send({ code, message: status >= 500 ? 'The answer failed.' : error.message })
  })
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ code: 'NO_SUCH_ROUTE', message: `There is no ${request.method} ${request.url}.` }),
  )
  const metrics = addMetrics(app, recommender)
  addRoutes(app, recommender)
  app.get('/health', async () => ({ status: 'ok' }))
  app.get('/ready', async (_, reply) => {
    const { users, items, factors } = recommender.model
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'closing', model: { users, items, factors } })
  })
  return {
    app,
    metrics,
    drain() {
      ready = false
    },
  }
}

function describe(error: FastifyError): { status: number; code: string } {
  if (error instanceof RequestError) return { status: error.code === 'BAD_LIMIT' ? 400 : 404, code: error.code }
  if (error instanceof OptionError) return { status: 400, code: error.code }
  const status = error.statusCode ?? 500
  if (error.validation || (status >= 400 && status < 500)) return { status, code: 'BAD_REQUEST' }
  return { status: 500, code: 'INTERNAL' }
}
