/**
 * The same data through Spark's ALS and through ours, on the same cores: passes, training, and what came of it.
 *
 *   npm run bench -- spark [--users 20000] [--releases 10000] [--factors 64] [--iterations 10] [--quick]
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import {
  type AlsModel,
  computeLoss,
  evaluate,
  foldInUsers,
  type InteractionMatrix,
  loadModel,
  type RegularizationScaling,
  splitRandomly,
} from '@seesaw/als-core'
import { type LoadedInteractions, loadInteractions, readItems } from '@seesaw/loader'
import type { SparkModel } from '@seesaw/spark'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { writeCatalogue } from '../../examples/catalogue/write-catalogue.ts'
import { prepareSpark } from '../../packages/spark/scripts/prepare-spark.ts'
import { cpuSeconds } from '../process-cost.ts'
import type { Setting } from '../spark/setting.ts'
import { runPasses, runTraining } from '../spark/spark-runs.ts'

const threads = 2

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      users: { type: 'string' },
      releases: { type: 'string' },
      factors: { type: 'string', default: '64' },
      iterations: { type: 'string', default: '10' },
      quick: { type: 'boolean', default: false },
    },
  })
  const spark = await prepareSpark()
  if ('missing' in spark) {
    console.error(`Skipped: ${spark.missing}.`)
    return { skipped: spark.missing }
  }
  const users = Number(values.users ?? (values.quick ? 3000 : 20_000))
  const releases = Number(values.releases ?? (values.quick ? 1500 : 10_000))
  const shop = await catalogue(users, releases)
  const folder = mkdtempSync(join(tmpdir(), 'bench-spark-'))
  try {
    const sources = [
      { name: 'haves', confidence: 3 },
      { name: 'wants', confidence: 1.5 },
      { name: 'ratings', confidence: { column: 'rating', values: { 5: 5, 4: 4, 3: 2 } } },
    ].map((source) => ({ ...source, uri: join(shop, source.name), item: 'release_id' }))
    const thresholds = { user: 20, item: 50 }
    const before = cpuSeconds()
    const loaded = await loadInteractions({ sources, thresholds, threads })
    const loadCpu = cpuSeconds() - before
    const passes = await runPasses(spark, { sources, thresholds, directory: join(folder, 'passes') }, threads)
    const sameEntries = same(loaded, passes.result)
    report('passes, ours', loaded.stats.seconds.total, loadCpu)
    report('passes, Spark', passes.seconds, passes.cpuSeconds, passes.peakRssMb)
    console.error(
      `  ${passes.result.entries} entries of ${passes.result.users.active} users and ${passes.result.items.active} items, ` +
        `confidences add up to ${passes.result.confidenceSum}: ${sameEntries ? 'identical' : 'DIFFERENT'}`,
    )

    const split = splitRandomly(loaded.matrix, 0.2, { seed: 42 })
    const entries = join(folder, 'known.parquet')
    writeEntries(entries, loaded, split.train)
    const setting: Setting = {
      ...{
        entries,
        model: join(folder, 'model'),
        factors: Number(values.factors),
        iterations: Number(values.iterations),
      },
      ...{ regularization: 0.01, regularizationScaling: 'count', objective: 'hkv', alpha: 1, seed: 42, threads },
    }
    const own = await trainHere(setting)
    const theirs = await runTraining(spark, join(folder, 'spark'), setting)
    const ours = await loadModel(setting.model)
    const model = await readSparkModel(theirs.result, loaded, ours)
    const theirLoss = computeLoss(model, split.train, model.options)
    const [quality, theirQuality] = [await recall(withRowsOf(loaded, ours), split), await recall(model, split)]
    report('training, ours', own.seconds, own.cpuSeconds, own.peakRssMb, own.loss, quality)
    report('training, Spark', theirs.seconds, theirs.cpuSeconds, theirs.peakRssMb, theirLoss, theirQuality)
    const reached = own.losses.findIndex((loss) => loss <= theirLoss) + 1
    console.error(`  Spark's loss after ${setting.iterations} iterations is ours after ${reached || 'more than that'}`)
    const foldInDifference = await difference(model, split.train, 'count')
    const otherScaling = await difference(model, split.train, 'none')
    console.error(
      `  users solved again from Spark's items: ${foldInDifference.toExponential(1)} off Spark's; with scaling none ${otherScaling.toExponential(1)}`,
    )
    return {
      entries: loaded.stats.entries,
      sameEntries,
      foldInDifference,
      foldInDifferenceOtherScaling: otherScaling,
      recallDifference: round(theirQuality - quality),
      processorRatio: round(theirs.cpuSeconds / own.cpuSeconds),
      passesProcessorRatio: round(passes.cpuSeconds / loadCpu),
      ourIterationOfTheirLoss: reached || undefined,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function catalogue(users: number, releases: number): Promise<string> {
  const folder = join(import.meta.dirname, '..', '.cache', `shop-${users}-${releases}`)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.part`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  await writeCatalogue({ directory: unfinished, users, releases, seed: 42 })
  renameSync(unfinished, folder)
  return folder
}

function same({ matrix, stats }: LoadedInteractions, spark: Awaited<ReturnType<typeof runPasses>>['result']): boolean {
  let sum = 0
  for (const code of matrix.csr.values) sum += matrix.codebook![code]
  return (
    spark.entries === stats.entries &&
    spark.confidenceSum === sum &&
    spark.users.active === stats.users.active &&
    spark.items.active === stats.items.active
  )
}

/** The known entries as one Parquet file that both read. */
function writeEntries(
  path: string,
  { userIds, itemIds }: LoadedInteractions,
  { csr, codebook, users }: InteractionMatrix,
): void {
  const [user, item, value] = [
    new Int32Array(csr.indices.length),
    new Int32Array(csr.indices.length),
    new Float32Array(csr.indices.length),
  ]
  for (let row = 0; row < users; row++) {
    for (let e = csr.indptr[row]; e < csr.indptr[row + 1]; e++) {
      user[e] = userIds.at(row) as number
      item[e] = itemIds.at(csr.indices[e]) as number
      value[e] = codebook ? codebook[csr.values[e]] : csr.values[e]
    }
  }
  const columnData = [
    { name: 'user', data: user, type: 'INT32' as const },
    { name: 'item', data: item, type: 'INT32' as const },
    { name: 'value', data: value, type: 'FLOAT' as const },
  ]
  writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 250_000 })))
}

interface OwnTraining {
  seconds: number
  cpuSeconds: number
  peakRssMb: number
  loss: number
  losses: number[]
}

async function trainHere(setting: Setting): Promise<OwnTraining> {
  const script = join(import.meta.dirname, '..', 'spark', 'ours.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(setting)], {
    maxBuffer: 1 << 24,
  })
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
}

/** Spark's factors by the rows of the load; a user or an item without a known entry has zeros. */
async function readSparkModel(
  spark: SparkModel,
  { matrix, userIds, itemIds }: LoadedInteractions,
  like: AlsModel,
): Promise<AlsModel> {
  const read = async (source: string, ids: LoadedInteractions['userIds']) => {
    const factors = new Float32Array(new SharedArrayBuffer(4 * like.factors * ids.length))
    for await (const { row, values } of readItems({ source, ids, id: 'id', columns: ['vector'], threads })) {
      factors.set(values.vector as number[], row * like.factors)
    }
    return factors
  }
  const userFactors = await read(spark.usersAt, userIds)
  const itemFactors = await read(spark.itemsAt, itemIds)
  const { factors, options } = like
  return { factors, options, users: matrix.users, items: matrix.items, userFactors, itemFactors, history: [] }
}

/** A model by the rows of the load: it was trained on the rows that have a known entry. */
function withRowsOf({ matrix, userIds, itemIds }: LoadedInteractions, model: AlsModel): AlsModel {
  const spread = (values: Float32Array, own: NonNullable<AlsModel['userIds']>, ids: LoadedInteractions['userIds']) => {
    const factors = new Float32Array(new SharedArrayBuffer(4 * model.factors * ids.length))
    // Both ascend.
    for (let row = 0, at = 0; row < ids.length && at < own.length; row++) {
      if (own.at(at) !== ids.at(row)) continue
      factors.set(values.subarray(at * model.factors, (at + 1) * model.factors), row * model.factors)
      at++
    }
    return factors
  }
  const userFactors = spread(model.userFactors, model.userIds!, userIds)
  const itemFactors = spread(model.itemFactors, model.itemIds!, itemIds)
  const { factors, options } = model
  return { factors, options, users: matrix.users, items: matrix.items, userFactors, itemFactors, history: [] }
}

async function recall(model: AlsModel, split: { train: InteractionMatrix; test: InteractionMatrix }): Promise<number> {
  const { at } = await evaluate(model, { ...split, k: [20], threads })
  return at[20].recall
}

/** Users solved from the model's items beside its users, relative to their length. */
async function difference(
  model: AlsModel,
  known: InteractionMatrix,
  regularizationScaling: RegularizationScaling,
): Promise<number> {
  const solved = await foldInUsers({ ...model, options: { ...model.options, regularizationScaling } }, known, {
    solver: 'cholesky',
    threads,
  })
  let off = 0
  let length = 0
  for (let i = 0; i < solved.length; i++) {
    off += (solved[i] - model.userFactors[i]) ** 2
    length += model.userFactors[i] ** 2
  }
  return Math.sqrt(off / length)
}

function report(
  name: string,
  seconds: number,
  cpu: number,
  peakRssMb?: number,
  loss?: number,
  recall20?: number,
): void {
  const parts = [
    `${name.padEnd(16)} ${seconds.toFixed(2).padStart(8)} s`,
    `${cpu.toFixed(2).padStart(8)} s of processors`,
    peakRssMb === undefined ? '' : `${peakRssMb.toFixed(0).padStart(6)} MB peak`,
    loss === undefined ? '' : `loss ${loss.toPrecision(6)}`,
    recall20 === undefined ? '' : `Recall@20 ${recall20.toFixed(4)}`,
  ]
  console.error(parts.filter(Boolean).join('  '))
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
