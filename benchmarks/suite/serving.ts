/**
 * What users get who ask an index: their own vector, a blend of all their items, of the last five, one item; by the taste
 * space and by cosine, exactly and from Qdrant's engine.
 *
 *   npm run bench -- serving [--data gowalla|amazon-cds|quickstart] [--factors 256] [--users 2000] [--threads 2] [--quick]
 *
 * `--quick` leaves the engine out, which needs Python.
 */
import { parseArgs } from 'node:util'
import {
  type AlsModel,
  createWorkerPool,
  evaluateServing,
  type ServingFigures,
  type ServingQuestion,
  train,
  type WorkerPool,
} from '@seesaw/als-core'
import type { TrainAndTest } from '../quality/data-sets.ts'
import { foldInIndex, scaledIndex } from '../serving/alternatives.ts'
import { readServingData, type ServingData, servingData } from '../serving/data.ts'
import { drawDial } from '../serving/dial-chart.ts'
import { EdgeEngine } from '../serving/edge-index.ts'
import { makeServedVectors } from '../serving/served-vectors.ts'
import { printTable } from '../solver/table.ts'

interface Line extends ServingFigures {
  data: string
  index: string
}

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      factors: { type: 'string', default: '256' },
      users: { type: 'string', default: '2000' },
      threads: { type: 'string', default: '2' },
      quick: { type: 'boolean', default: false },
    },
  })
  const names = servingData.filter((name) => values.data === undefined || values.data === name)
  const threads = Number(values.threads)
  const pool = createWorkerPool({ threads })
  const figures: Record<string, number> = {}
  const dial: Line[] = []
  let lastFiveShare = Number.POSITIVE_INFINITY
  try {
    for (const data of names) {
      const parts = await readServingData(data)
      if (!parts) continue
      const model = await trainFor(parts, Number(values.factors), pool)
      const result = await measure(data, model, parts, Number(values.users), pool)
      const engine = values.quick ? [] : await measureEngine(data, model, parts, Number(values.users), pool)
      print([...result.lines, ...engine])
      dial.push(...result.dial)
      figures[`${data.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())}BlendShare`] = result.blendShare
      lastFiveShare = Math.min(lastFiveShare, result.lastFiveShare)
      const found = engine.find(({ index }) => index === 'HNSW, ef 128')
      if (found) figures.indexAgreement = Math.min(figures.indexAgreement ?? 1, round(found.agreement))
    }
  } finally {
    await pool.close()
  }
  if (names.length === servingData.length && dial.length > 0) drawDial(dial)
  return { ...figures, lastFiveShare }
}

/** Settings of the published splits at 256 factors (docs/quality.md), one for all data. */
function trainFor({ train: known }: TrainAndTest, factors: number, pool: WorkerPool): Promise<AlsModel> {
  return train(known, {
    objective: 'ials',
    factors,
    popularityExponent: 0.25,
    unobservedWeight: 0.01,
    regularization: 0.005,
    regularizationScaling: { nu: 1 },
    iterations: 8,
    tolerance: 0.2,
    maxSteps: 4,
    pool,
  })
}

async function measure(
  data: ServingData,
  model: AlsModel,
  parts: TrainAndTest,
  users: number,
  pool: WorkerPool,
): Promise<{ lines: Line[]; dial: Line[]; blendShare: number; lastFiveShare: number }> {
  const asked: ServingQuestion[] = []
  const ask = async (index: string, options: Partial<Parameters<typeof evaluateServing>[1]>): Promise<Line[]> =>
    (await evaluateServing(model, { ...parts, users, pool, ...options })).map((each) => ({ ...each, data, index }))
  const exact = await ask('exact', {})
  // The questions of the kind 'recent' are those that folding in must answer too.
  const note = {
    answer: async (question: ServingQuestion) => {
      asked.push(question)
      return []
    },
  }
  await ask('', { index: note, kinds: ['recent'], metrics: ['taste'] })
  const folded = await ask('folding in', {
    index: await foldInIndex(model, asked, pool),
    kinds: ['recent'],
    metrics: ['taste'],
  })
  const dial: Line[] = []
  for (const lengthExponent of [0, 0.25, 0.5, 0.75, 1]) {
    const index = scaledIndex(model, lengthExponent, pool)
    dial.push(
      ...(await ask(`p = ${lengthExponent}`, { index, kinds: ['blend', 'recent', 'seed'], metrics: ['taste'] })),
    )
  }
  const recallOf = (lines: Line[], kind: string) =>
    lines.find((line) => line.kind === kind && line.metric === 'taste')!.recall
  return {
    lines: [...exact, ...folded, ...dial.slice(3)],
    dial: [...dial, ...exact.filter(({ metric }) => metric === 'cosine').map((line) => ({ ...line, index: 'cosine' }))],
    blendShare: round(recallOf(exact, 'blend') / recallOf(exact, 'user')),
    lastFiveShare: round(recallOf(exact, 'recent') / recallOf(folded, 'recent')),
  }
}

/** What approximation and quantization lose, in the engine that the server runs on. */
async function measureEngine(
  data: ServingData,
  model: AlsModel,
  parts: TrainAndTest,
  users: number,
  pool: WorkerPool,
): Promise<Line[]> {
  const lines: Line[] = []
  const vectors = await makeServedVectors(model, pool)
  for (const quantization of ['none', 'int8'] as const) {
    const engine = await EdgeEngine.start(vectors, { m: 16, efConstruct: 100, quantization }, pool.threads)
    try {
      const searches =
        quantization === 'none'
          ? { 'HNSW, ef 64': { hnswEf: 64 }, 'HNSW, ef 128': { hnswEf: 128 }, 'HNSW, ef 256': { hnswEf: 256 } }
          : { 'int8, ef 128': { hnswEf: 128 }, 'int8, ef 128, twice rescored': { hnswEf: 128, oversampling: 2 } }
      for (const [index, search] of Object.entries(searches)) {
        const options = { ...parts, users, pool, index: engine.index(search), concurrency: 1 }
        const figures = await evaluateServing(model, { ...options, kinds: ['user', 'blend', 'seed'] })
        lines.push(...figures.map((each) => ({ ...each, data, index })))
      }
    } finally {
      await engine.close()
    }
  }
  return lines
}

const questions = { user: 'own vector', blend: 'all items', recent: 'five items', seed: 'one item' }

function print(lines: Line[]): void {
  printTable<Line>(
    [
      ['data', ({ data }) => data],
      ['asked by', ({ kind }) => questions[kind]],
      ['vectors', ({ metric }) => metric],
      ['answered by', ({ index }) => index],
      ['Recall@20', ({ recall }) => recall.toFixed(4)],
      ['NDCG@20', ({ ndcg }) => ndcg.toFixed(4)],
      ['as exact', ({ agreement }) => `${(100 * agreement).toFixed(1)} %`],
      ['mean interactions', ({ meanPopularity }) => meanPopularity.toFixed(0)],
      ['catalogue shown', ({ coverage }) => `${(100 * coverage).toFixed(1)} %`],
      ['p50, ms', ({ p50 }) => p50.toFixed(2)],
      ['p99, ms', ({ p99 }) => p99.toFixed(2)],
    ],
    lines,
  )
}

function round(value: number): number {
  return Number(value.toFixed(4))
}
