import type { Recommender } from '@seesaw/als-core'
import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  readonly reloads: Counter<'result'>
}

/** `GET /metrics` for Prometheus: time of the requests by route and status, the model, the process. */
export function addMetrics(app: FastifyInstance, recommender: Recommender): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    labelNames: ['route', 'status'],
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2],
    registers: [register],
  })
  const reloads = new Counter({
    name: 'model_reloads_total',
    help: 'New models that were taken, and that could not be.',
    labelNames: ['result'],
    registers: [register],
  })
  for (const side of ['users', 'items'] as const) {
    new Gauge({
      name: `model_${side}`,
      help: `Number of ${side} of the model that answers.`,
      registers: [register],
      collect() {
        this.set(recommender.model[side])
      },
    })
  }
  app.addHook('onResponse', async ({ routeOptions }, reply) => {
    seconds.observe({ route: routeOptions.url ?? 'none', status: reply.statusCode }, reply.elapsedTime / 1000)
  })
  app.get('/metrics', async (_, reply) => reply.type(register.contentType).send(await register.metrics()))
  return { reloads }
}
