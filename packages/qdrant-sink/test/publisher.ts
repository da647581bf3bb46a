/** Publishes a test catalogue in a process of its own, for tests that kill it: `node publisher.ts '{"url":...,"alias":...,"rows":100,"seed":2}'`. */
import { publish } from '../src/index.ts'
import { quick, tagged } from './catalogue.ts'

const { rows, seed, ...options } = JSON.parse(process.argv[2])
const publication = await publish({ ...quick, ...tagged(rows, seed), ...options })
console.log(JSON.stringify(publication))
