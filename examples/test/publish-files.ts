/** Publishes a file of vectors in a process of its own, for a test that kills it: `node publish-files.ts '{"source":…,"url":…,"alias":…}'`. */
import { readVectors } from '@seesaw/loader'
import { publish } from '@seesaw/qdrant-sink'

const { source, ...options } = JSON.parse(process.argv[2]!)
await publish({ ...options, vectors: await readVectors({ source, numbers: ['interaction_count'] }) })
