/** Child process: the bodies of all upserts, made beforehand, sent over as many connections. Prints one line of JSON. */
import { openSync, readSync } from 'node:fs'
import { generateBodies } from './catalogue.ts'
import type { Settings } from './ours.ts'
import { request, withCollection } from './server.ts'

const { url, files, batch, workers } = JSON.parse(process.argv[2]) as Settings
const { file, sizes } = await generateBodies(files, batch)
const descriptor = openSync(file, 'r')
const seconds = await withCollection(url, async (collection) => {
  let next = 0
  let at = 0
  const stream = async (): Promise<void> => {
    while (next < sizes.length) {
      const body = Buffer.allocUnsafeSlow(sizes[next++])
      readSync(descriptor, body, 0, body.length, at)
      at += body.length
      await request(url, 'PUT', `/collections/${collection}/points?wait=true`, body)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: workers }, stream))
  return (performance.now() - began) / 1000
})
console.log(JSON.stringify({ seconds }))
