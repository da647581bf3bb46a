/**
 * Publishes a test catalogue in a process of its own, for tests that kill it: `node publisher.ts '{"url":...,"alias":...,"rows":100,"seed":2}'`.
 * `"streamed":true` hands it over as a stream.
 */
import { publish } from '../src/index.ts'
import { quick, streamOf, tagged } from './catalogue.ts'

const { rows, seed, streamed, ...options } = JSON.parse(process.argv[2])
const { vectors, payloads } = tagged(rows, seed)
const publication = await publish({
  ...quick,
  vectors: streamed ? streamOf(vectors, 7) : vectors,
  payloads,
  ...options,
})
console.log(JSON.stringify(publication))
