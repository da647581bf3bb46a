import { type Front, startFront } from './front.ts'

/** Injects the faults of the stand-in in front of a real server. */
export function startProxy(target: string): Promise<Front> {
  return startFront(
    {
      async carryOut({ method, url, headers, text }) {
        const apiKey = headers['api-key']
        const answer = await fetch(new URL(url.pathname + url.search, target), {
          method,
          headers: {
            ...(text !== '' && { 'content-type': 'application/json' }),
            ...(typeof apiKey === 'string' && { 'api-key': apiKey }),
          },
          ...(text !== '' && { body: text }),
        })
        const content = Buffer.from(await answer.arrayBuffer())
        return { status: answer.status, content, retryAfter: answer.headers.get('retry-after') ?? undefined }
      },
    },
    {},
  )
}
