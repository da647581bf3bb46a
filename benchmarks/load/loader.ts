/** Child process: the load itself, so that its peak memory is its own. Prints one line of JSON. */
import { type LoadOptions, loadInteractions } from '@seesaw/loader'
import { cpuSeconds, peakRssMb } from '../process-cost.ts'

const { sources, s3 } = JSON.parse(process.argv[2]) as Pick<LoadOptions, 'sources' | 's3'>
const begun = performance.now()
// Processor seconds until a phase begins.
const reached: Record<string, number> = {}
const { matrix, stats, plan } = await loadInteractions({
  sources,
  s3,
  threads: 2,
  thresholds: { user: 20, item: 50 },
  onProgress({ phase }) {
    reached[phase] ??= cpuSeconds()
  },
})
const seconds = (performance.now() - begun) / 1000
const cpu = cpuSeconds()

// A sum in double precision of exact halves and wholes: exact, whatever the order.
const counts = new Float64Array(256)
for (const code of matrix.csr.values) counts[code]++
const confidence = matrix.codebook!.reduce((sum, value, code) => sum + value * counts[code], 0)
console.log(
  JSON.stringify({
    seconds,
    cpuSeconds: cpu,
    passesCpuSeconds: reached.merge - reached.count,
    users: matrix.users,
    items: matrix.items,
    entries: matrix.entries,
    confidence,
    peakRssMb: peakRssMb(),
    plannedMb: plan.memory.total / 1e6,
    readBytes: stats.bytes + stats.keptBytes,
    fetchedBytes: stats.bytes,
    phases: stats.seconds,
  }),
)
