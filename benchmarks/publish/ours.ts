/** Child process: one publication, so that its peak memory is its own. Prints one line of JSON. */
import { publish } from '@seesaw/qdrant-sink'
import { cpuSeconds, peakRssMb } from '../process-cost.ts'
import { type CatalogueFiles, dimension, readPayloads, readVectors } from './catalogue.ts'
import { request } from './server.ts'

export interface Settings {
  url: string
  files: CatalogueFiles
  batch: number
  workers: number
}

export interface Figures {
  /** The whole publication: upload, vector index, verification, swap. */
  seconds: number
  uploadSeconds: number
  /** Of this process, its start included. */
  cpuSeconds: number
  bytes: number
  peakRssMb: number
}

const { url, files, batch, workers } = JSON.parse(process.argv[2]) as Settings
const data = readVectors(files)
const ids = Uint32Array.from({ length: files.points }, (_, row) => row + 1)
let began = 0
let uploadSeconds = 0
let cpu = 0
const publication = await publish({
  url,
  alias: `bench-${Date.now()}`,
  vectors: { ids, data, dimension },
  payloads: readPayloads(files),
  maxWorkers: workers,
  batchSize: batch,
  onProgress({ phase }) {
    if (phase === 'upload' && began === 0) began = performance.now()
    if (phase !== 'restore') return
    uploadSeconds = (performance.now() - began) / 1000
    cpu = cpuSeconds()
  },
})
await request(url, 'DELETE', `/collections/${publication.collection}`)
const { seconds, bytes } = publication
console.log(
  JSON.stringify({ seconds, uploadSeconds, cpuSeconds: cpu, bytes, peakRssMb: peakRssMb() } satisfies Figures),
)
