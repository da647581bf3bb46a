/** Child process: the bodies of all upserts, made beforehand, sent over as many connections. Prints one line of JSON. */
import { openSync, readSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { generateBodies } from './catalogue.ts'
import type { Settings } from './ours.ts'
import { withCollection } from './server.ts'

const { url, files, batch, workers } = JSON.parse(process.argv[2]) as Settings
const { file, sizes } = await generateBodies(files, batch)
const descriptor = openSync(file, 'r')
const agent = new Agent({ keepAlive: true, maxSockets: workers })
const seconds = await withCollection(url, async (collection) => {
  let next = 0
  let at = 0
  const stream = async (): Promise<void> => {
    const memory = Buffer.allocUnsafeSlow(Math.max(...sizes))
    while (next < sizes.length) {
      const body = memory.subarray(0, sizes[next++])
      readSync(descriptor, body, 0, body.length, at)
      at += body.length
      await put(`${url}/collections/${collection}/points?wait=true`, body)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: workers }, stream))
  return (performance.now() - began) / 1000
})
console.log(JSON.stringify({ seconds }))
agent.destroy()

/** With node:http, which copies nothing. */
function put(address: string, body: Buffer): Promise<void> {
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const sent = request(address, { method: 'PUT', agent, headers }, (answer) => {
      answer.resume()
      answer.on('error', reject).on('end', () => {
        if (answer.statusCode === 200) resolve()
        else reject(new Error(`Expected 200 from an upsert, got ${answer.statusCode}.`))
      })
    })
    sent.on('error', reject).end(body)
  })
}
