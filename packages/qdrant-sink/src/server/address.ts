import { QdrantClient } from '@qdrant/js-client-rest'

/**
 * A client for the server at an address. Credentials in it (`https://user:password@host`) become the Authorization header of every
 * request, as they do in curl.
 *
 * @throws TypeError
 */
export function clientFor(address: string | undefined, apiKey: string | undefined): QdrantClient {
  if (!address)
    throw new TypeError('`url` and `client` are missing, expected one of them. Try `url: "http://localhost:6333"`.')
  if (!URL.canParse(address) || !/^https?:/.test(address)) {
    // What stands before the @ may be a password.
    const shown = address.replace(/[^/]*@/, '***@')
    throw new TypeError(
      `\`url\` is "${shown}", expected an address that begins with http:// or https://. Try http://localhost:6333.`,
    )
  }
  const url = new URL(address)
  const prefix = url.pathname.replace(/\/+$/, '')
  // URL drops a port that is the scheme's default (https://host:443), and the client would put 6333 in its place.
  const explicit = /^https?:\/\/(?:[^/]*@)?[^/@]*:(\d+)(?:[/?#]|$)/.exec(address)?.[1]
  const headers = {
    // As a header: with `apiKey` the client prints a warning on plain http, and a library does not print.
    ...(apiKey && { 'api-key': apiKey }),
    ...((url.username || url.password) && { authorization: basic(url) }),
  }
  return new QdrantClient({
    url: url.origin,
    port: explicit === undefined ? 6333 : Number(explicit),
    ...(prefix && { prefix }),
    headers,
    timeout: Number.POSITIVE_INFINITY,
    checkCompatibility: false,
  })
}

/** RFC 7617, in UTF-8. */
function basic({ username, password }: URL): string {
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}
