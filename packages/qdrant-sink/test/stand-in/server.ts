/**
 * A stand-in for a Qdrant server: the REST paths that publishing and querying use, over real HTTP, in one process, with exact search.
 * It refuses every body that does not fit the official client's types, and can be told to fail.
 *
 * `node server.ts [port]` runs it on its own and prints its address.
 */
import { answers } from './answers.ts'
import { type Answer, type Front, ok, type ReceivedRequest, startFront } from './front.ts'
import { requestValidators } from './schemas.ts'
import { Refusal, Storage } from './storage.ts'

export interface StandIn extends Front {
  storage: Storage
}

/** The server's `service.max_request_size_mb`. */
const BODY_LIMIT = 32 * 1024 * 1024
const VERSION = '1.19.0'

let validator: ReturnType<typeof requestValidators> | undefined

export interface StandInOptions {
  port?: number
  apiKey?: string
  bodyLimit?: number
}

export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const storage = new Storage()
  validator ??= requestValidators()
  const validatorFor = validator

  function check({ headers, route, body }: ReceivedRequest): void {
    if (options.apiKey && headers['api-key'] !== options.apiKey)
      throw new Refusal(401, 'Must provide an API key or an Authorization bearer token')
    if (route?.schema === undefined) return
    const validate = validatorFor(route.schema)
    if (validate(body)) return
    const { instancePath, message, params } = validate.errors?.[0] ?? {}
    throw new Refusal(400, `Format error in JSON body: ${instancePath} ${message} ${JSON.stringify(params)}`)
  }

  async function carryOut({ route, names, body, text }: ReceivedRequest): Promise<Answer> {
    if (!route) return { status: 404, content: '' }
    const { operation } = route
    if (operation === 'root') {
      return { status: 200, content: JSON.stringify({ title: 'qdrant - vector search engine', version: VERSION }) }
    }
    if (operation === 'quotas') return ok({ config: { enabled: false }, usage: {} })
    return ok(await answers[operation]({ storage, names, body: withLargeIntegers(text, body) }))
  }

  const front = await startFront(
    { check, carryOut },
    { bodyLimit: options.bodyLimit ?? BODY_LIMIT, ...(options.port !== undefined && { port: options.port }) },
  )
  return { ...front, storage }
}

/** Integers of 64 bits, which a number does not hold, are kept as they are; longer ones become doubles, as the server's parser makes them. */
function withLargeIntegers(text: string, body: unknown): unknown {
  if (!/[:[,]\s*-?\d{16,20}\s*[,}\]]/.test(text)) return body
  return JSON.parse(text, (_key: string, value: unknown, context?: { source: string }) => {
    const source = context?.source ?? ''
    if (typeof value !== 'number' || Number.isSafeInteger(value) || !/^-?\d+$/.test(source)) return value
    const integer = BigInt(source)
    return integer >= -(1n << 63n) && integer < 1n << 64n ? integer : value
  })
}

if (import.meta.main) {
  const { url } = await startStandIn({ port: Number(process.argv[2] ?? 0) })
  console.log(url)
}
