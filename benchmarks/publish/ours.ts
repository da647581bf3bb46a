/** Child process: one publication, so that its peak memory is its own. Prints one line of JSON. */
import { type Phase, publish } from '@seesaw/qdrant-sink'
import { catalogueIndexes } from '../../packages/qdrant-sink/test/catalogue.ts'
import { cpuSeconds, peakRssMb } from '../process-cost.ts'
import { type CatalogueFiles, readPayloads, readVectors } from './catalogue.ts'
import { request } from './server.ts'

export interface Settings {
  url: string
  files: CatalogueFiles
  batch: number
  workers: number
  /** False leaves out the vector index, whose building takes longer than everything else. */
  graph: boolean
}

export interface Figures {
  /** The whole publication: upload, vector index, verification, swap. */
  seconds: number
  uploadSeconds: number
  /** From the last batch until the server is done with the vector index. */
  indexSeconds: number
  /** Of this process, its start included. */
  cpuSeconds: number
  bytes: number
  peakRssMb: number
}

const { url, files, batch, workers, graph } = JSON.parse(process.argv[2]) as Settings
const entered: Partial<Record<Phase, number>> = {}
let cpu = 0
const publication = await publish({
  url,
  alias: `bench-${Date.now()}`,
  vectors: readVectors(files),
  payloads: readPayloads(files),
  indexes: catalogueIndexes,
  concurrency: workers,
  batchSize: batch,
  ...(!graph && { collection: { hnsw_config: { m: 0 } } }),
  onProgress({ phase }) {
    if (phase === 'restore') cpu ||= cpuSeconds()
    entered[phase] ??= performance.now()
  },
})
const between = (from: Phase, to: Phase): number => ((entered[to] ?? 0) - (entered[from] ?? 0)) / 1000
await request(url, 'DELETE', `/collections/${publication.collection}`)
const figures: Figures = {
  seconds: publication.seconds,
  uploadSeconds: between('upload', 'restore'),
  indexSeconds: between('restore', 'verify'),
  cpuSeconds: cpu,
  bytes: publication.bytes,
  peakRssMb: peakRssMb(),
}
console.log(JSON.stringify(figures))
