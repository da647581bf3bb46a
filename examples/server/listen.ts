import type { FastifyInstance } from 'fastify'
import { ConfigurationError } from '../configuration/read-configuration.ts'
import type { ServerSettings } from './read-settings.ts'

/** @throws ConfigurationError where the address or the port cannot be had, naming the variable */
export async function listen(app: FastifyInstance, { HOST: host, PORT: port }: ServerSettings): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reasons: Partial<Record<string, string>> = {
      EADDRINUSE: `PORT=${port}: another process listens there at ${host}. Take another one, or 0 for any that is free`,
      EACCES: `PORT=${port}: this user may not listen there. Take one from 1024 on`,
      EADDRNOTAVAIL: `HOST=${host}: this machine has no such address. Take 0.0.0.0 for all that it has`,
      ENOTFOUND: `HOST=${host}: no such address`,
    }
    const reason = reasons[code ?? '']
    if (reason === undefined) throw error
    throw new ConfigurationError([reason])
  }
}
