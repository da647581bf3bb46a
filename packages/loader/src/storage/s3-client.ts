import { Agent as HttpAgent } from 'node:http'
import { type AgentOptions, Agent as HttpsAgent } from 'node:https'
import { S3Client } from '@aws-sdk/client-s3'
import type { S3Connection } from './connection.ts'

/** Connections to the store, directly or through a proxy. They outlive a client, so that renewed keys use open ones. */
export interface Agents {
  readonly httpAgent: HttpAgent
  readonly httpsAgent: HttpsAgent
}

export async function createAgents({ proxy, tls }: S3Connection = {}): Promise<Agents> {
  const options: AgentOptions = { keepAlive: true, ...tls }
  if (proxy === undefined) return { httpAgent: new HttpAgent({ keepAlive: true }), httpsAgent: new HttpsAgent(options) }
  const [{ HttpProxyAgent }, { HttpsProxyAgent }] = await Promise.all([
    import('http-proxy-agent'),
    import('https-proxy-agent'),
  ])
  // An https endpoint is reached by a tunnel, so `tls` is of the connection inside it.
  const httpsAgent = new HttpsProxyAgent(proxy, options)
  return { httpAgent: new HttpProxyAgent(proxy, { keepAlive: true }), httpsAgent }
}

export function createClient(connection: S3Connection = {}, agents: Agents): S3Client {
  const { endpoint, region, credentials, forcePathStyle = endpoint !== undefined, maxAttempts = 5 } = connection
  return new S3Client({
    endpoint,
    region: region ?? (endpoint === undefined ? undefined : 'us-east-1'),
    credentials,
    forcePathStyle,
    maxAttempts,
    requestHandler: { ...agents },
    // A ranged GET carries no checksum to validate; asking for one only makes some stores refuse.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // Warnings about the SDK's own future are not the library's to print.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  })
}
