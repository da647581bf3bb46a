import { OptionError, type Recommender, RequestError } from '@seesaw/als-core'
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyServerOptions,
  LogController,
} from 'fastify'
import { addMetrics, type Metrics } from './metrics.ts'
import { addRoutes } from './routes.ts'

export interface ServerOptions {
  readonly logger?: FastifyServerOptions['logger']
  /** Answers under way above which more questions get 503 at once. Default: 1,000. */
  readonly maxInFlight?: number
  /** Time that a client has to send a request; then it gets 408. Default: 30,000. */
  readonly requestMilliseconds?: number
}

export interface RecommendationServer {
  readonly app: FastifyInstance
  readonly metrics: Metrics
  /** From now on `/ready` says 503 and each answer ends its connection, so that clients go elsewhere. */
  drain(): void
}

/** An HTTP server of a recommender's answers; who made the recommender closes it. */
export function createServer(
  recommender: Recommender,
  { logger = false, maxInFlight = 1000, requestMilliseconds = 30_000 }: ServerOptions = {},
): RecommendationServer {
  const app = fastify({
    logger,
    logController: new LogController({ disableRequestLogging: true }),
    // Keep-alive connections without a request under way are closed with the server.
    forceCloseConnections: 'idle',
    // What comes on an open connection while the server closes is answered too.
    return503OnClosing: false,
    requestTimeout: requestMilliseconds,
    http: {
      headersTimeout: requestMilliseconds,
      connectionsCheckingInterval: Math.min(requestMilliseconds, 10_000),
    },
    routerOptions: { maxParamLength: 512 },
    // A body is taken as it stands: `true` is no id, and null no 0.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allowUnionTypes: true } },
    frameworkErrors: (error, _, reply) =>
      void (reply as FastifyReply).code(error.statusCode ?? 400).send({ code: 'BAD_REQUEST', message: error.message }),
  })
  app.removeContentTypeParser('text/plain')
  app.addHook('preValidation', async ({ query }) => readIntegers(query as Record<string, unknown>))
  let ready = true
  app.addHook('onSend', async (_, reply) => {
    if (!ready) reply.header('connection', 'close')
  })
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, code } = describe(error)
    if (status >= 500) request.log.error(error)
    return reply.code(status).send({ code, message: messageOf(error, status, request.headers['content-type']) })
  })
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ code: 'NO_SUCH_ROUTE', message: `There is no ${request.method} ${request.url}.` }),
  )
  const metrics = addMetrics(app, recommender)
  app.register(async (questions) => {
    limitAnswers(questions, maxInFlight)
    addRoutes(questions, recommender)
  })
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

/**
 * Turns questions away while as many answers are under way. What is counted are answers, not requests: a client that is
 * slow to send, or that leaves, holds no place, and `/health`, `/ready` and `/metrics` are always answered.
 */
function limitAnswers(app: FastifyInstance, max: number): void {
  let underWay = 0
  app.addHook('onRoute', (route) => {
    // Those of GET, which fastify adds, have its handler.
    if (route.method === 'HEAD') return
    const { handler } = route
    route.handler = async function (request, reply) {
      if (underWay >= max) {
        reply.code(503).header('retry-after', '1')
        return { code: 'OVERLOADED', message: 'Too many requests under way.' }
      }
      underWay++
      try {
        return await handler.call(this, request, reply)
      } finally {
        underWay--
      }
    }
  })
}

/** Numbers of a query string, which are digits there; anything else is left for the schema to refuse. */
function readIntegers(query: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(query)) {
    if (typeof value === 'string' && /^-?\d{1,15}$/.test(value)) query[name] = Number(value)
  }
}

function messageOf(error: FastifyError, status: number, type = ''): string {
  if (status >= 500) return 'The answer failed.'
  if (status === 415) return `The content-type is ${JSON.stringify(type)}, expected application/json.`
  return error.message
}

function describe(error: FastifyError): { status: number; code: string } {
  if (error instanceof RequestError) return { status: error.code === 'BAD_LIMIT' ? 400 : 404, code: error.code }
  if (error instanceof OptionError) return { status: 400, code: error.code }
  const status = error.statusCode ?? 500
  if (error.validation || (status >= 400 && status < 500)) return { status, code: 'BAD_REQUEST' }
  return { status: 500, code: 'INTERNAL' }
}
