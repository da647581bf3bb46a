import { isIP } from 'node:net'
import helmet from '@fastify/helmet'
import { ServerError } from '@seesaw/qdrant-sink'
import fastify, { type FastifyInstance } from 'fastify'
import { addPage } from './page-files.ts'
import { BadRequest } from './parameters.ts'
import { addRoutes } from './routes.ts'
import type { Source } from './source.ts'

export interface ServerOptions {
  /** Default 127.0.0.1: only programs of this machine can ask. */
  readonly host?: string
  /** 0 takes one that is free. */
  readonly port: number
}

/** Serves the page and its answers over a source until it is closed; the source stays open. */
export async function startServer(
  source: Source,
  { host = '127.0.0.1', port }: ServerOptions,
): Promise<FastifyInstance> {
  const server = fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 200 } })
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
        trustedTypes: ["'none'"],
      },
    },
    // Over plain HTTP it says nothing.
    strictTransportSecurity: false,
  })
  if (isLoopback(host)) refuseOtherNames(server)
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error instanceof ServerError ? 502 : (error.statusCode ?? 500)
    return reply.code(status).send({ error: error.message })
  })
  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `${request.method} ${request.url.slice(0, 100)}: there is nothing here` }),
  )
  await addPage(server)
  await addRoutes(server, source)
  await server.listen({ host, port })
  return server
}

/** A page of another site may point a name of its own to this machine; such requests carry that name. */
function refuseOtherNames(server: FastifyInstance): void {
  server.addHook('onRequest', async ({ hostname }) => {
    if (!isLoopback(hostname))
      throw Object.assign(new BadRequest(`Host ${hostname}: expected localhost`), { statusCode: 403 })
  })
}

function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '')
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))
}
