import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadModel } from '@seesaw/als-core'
import type { RunRecord } from '../../examples/report/run-record.ts'
import { type Assignment, type Outcome, watch } from './contender.ts'

const train = fileURLToPath(new URL('../../examples/train.ts', import.meta.url))
const alias = 'mission-seesaw'

/** `examples/train.ts` as a child process; publishes under an alias of its own. */
export async function runOurs(assignment: Assignment): Promise<Outcome> {
  const { output } = assignment
  const child = spawn(process.execPath, [train], {
    env: { PATH: process.env.PATH, ...environmentOf(assignment) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const { result, began, end, cost } = await watch(child.pid!, once(child, 'close'))
  if (result[0] !== 0)
    throw new Error(`examples/train.ts ended with ${result[0] ?? result[1]}:\n${errors.slice(-2000)}`)
  const record: RunRecord = JSON.parse(readFileSync(join(output, 'report.json'), 'utf8'))
  const origin = Date.parse(record.began)
  const stages = record.stages.map(({ stage, began, seconds }) => ({
    stage,
    ...cost(origin + 1000 * began, origin + 1000 * (began + seconds)),
  }))
  const { users, items, interactions } = await loadModel(output)
  const { csr, codebook, entries } = interactions!
  let confidence = 0
  for (const value of csr.values) confidence += codebook ? codebook[value] : value
  return { whole: cost(began, end), stages, users, items, entries, confidence, model: output }
}

function environmentOf({ sources, s3, ...assignment }: Assignment): Record<string, string> {
  const { qdrant, factors, iterations, threads, seed, thresholds, output } = assignment
  return {
    ...(s3 && {
      S3_ENDPOINT: s3.endpoint,
      AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    }),
    ...{ HAVES: sources.haves, WANTS: sources.wants, RATINGS: sources.ratings, RELEASES: sources.releases },
    ...{ SAMPLE_FRAC_HAVES: '1', SAMPLE_FRAC_WANTS: '1', SAMPLE_FRAC_RATINGS: '1' },
    MIN_USER_INTERACTIONS: String(thresholds.user),
    MIN_ITEM_INTERACTIONS: String(thresholds.item),
    VECTOR_DIM: String(factors),
    ITERATIONS: String(iterations),
    // The default of implicit, whose objective is the same.
    REGULARIZATION: '0.01',
    THREADS: String(threads),
    SEED: String(seed),
    OUTPUT_DIR: output,
    QDRANT_URL: qdrant,
    COLLECTION_ALIAS: alias,
    // One vector per point, as the other publishes.
    VECTORS: 'similar',
    // As when it is installed: what is made of its TypeScript is kept from one run to the next.
    NODE_COMPILE_CACHE: fileURLToPath(new URL('../.cache/compiled', import.meta.url)),
  }
}
