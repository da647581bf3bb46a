/** Publishes a stream of made-up vectors in a process of its own and prints how much memory that took. */
import { publish } from '../src/index.ts'
import { largeVector } from './counting-server.ts'

const { points, dimension, ...options } = JSON.parse(process.argv[2])
const size = 1000

function* batches(start: number): Generator<{ ids: Uint32Array; data: Float32Array }> {
  for (let from = start; from < points; from += size) {
    const count = Math.min(size, points - from)
    const data = new Float32Array(count * dimension)
    for (let i = 0; i < count; i++) largeVector(from + i, data.subarray(i * dimension, (i + 1) * dimension))
    yield { ids: Uint32Array.from({ length: count }, (_, i) => from + i), data }
  }
}

const vectors = { points, dimension, distance: 'Dot' as const, fingerprint: 'large', batches }
const { points: sent } = await publish({ ...options, vectors, pollInterval: 10, payloads: (row) => ({ row }) })
console.log(JSON.stringify({ sent, peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024) }))
