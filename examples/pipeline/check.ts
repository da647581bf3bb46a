import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ItemsPlan, LoadError, type LoadPlan, planItems, planLoad } from '@seesaw/loader'
import { preflight } from '@seesaw/qdrant-sink'
import type { Configuration } from '../configuration/schema.ts'
import { bytes, grouped } from '../text/format.ts'
import { spillBytes } from './estimate.ts'
import { checkFolders, checkSpace, foldersOf, temporaryFolder } from './folders.ts'
import { itemsSource, loadOptions } from './load.ts'
import { servedShapes } from './served-vectors.ts'
import type { Stages } from './stages.ts'

/** What is known of a run before it reads any data. */
export interface Plan {
  readonly load: LoadPlan
  /** Of the catalogue, where there is one. */
  readonly items?: ItemsPlan
  /** What Qdrant serves now, in words. */
  readonly serving?: string
  /** Bytes that the load may hold beside its matrix, where all in memory is too much: it works through temporary files. */
  readonly memoryBudget?: number
}

/**
 * Looks at everything that can be known before the first pass: folders, files and columns of sources and catalogue,
 * the initial model, the Qdrant server. What is wrong is better known now than after hours of work.
 *
 * @throws ConfigurationError for folders; Error with everything else that is wrong, all at once
 */
export async function check(configuration: Configuration, stages: Stages, signal: AbortSignal): Promise<Plan> {
  checkFolders(foldersOf(configuration))
  return stages.run(
    'check',
    () => makePlan(configuration, planWithinMemory, signal),
    (plan) =>
      [
        describeRows(plan),
        `${bytes(plan.load.memory.total)} of memory for a load`,
        ...(plan.load.spill ? ['through temporary files'] : []),
        ...describeRest(configuration, plan),
      ].join(', '),
  )
}

/** The same where others load: their memory is not this process's, and there is no initial model. */
export async function checkForCluster(
  configuration: Configuration,
  stages: Stages,
  signal: AbortSignal,
): Promise<Plan> {
  return stages.run(
    'check',
    () => makePlan(configuration, async () => ({ load: await planLoad(loadOptions(configuration, signal)) }), signal),
    (plan) => [describeRows(plan), ...describeRest(configuration, plan)].join(', '),
  )
}

type PlanSources = (configuration: Configuration, signal: AbortSignal) => Promise<Pick<Plan, 'load' | 'memoryBudget'>>

async function makePlan(configuration: Configuration, planSources: PlanSources, signal: AbortSignal): Promise<Plan> {
  // By the order of the attempts below, whichever ends first.
  const outcomes: { fault?: unknown }[] = []
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    const outcome: { fault?: unknown } = {}
    outcomes.push(outcome)
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      outcome.fault = error
      return undefined
    }
  }
  const [planned, serving] = await Promise.all([
    attempt(() => planSources(configuration, signal)),
    attempt(() => findServing(configuration, signal)),
    attempt(() => checkInitialModel(configuration)),
  ])
  const items = await attempt(async () =>
    configuration.items.uri === undefined
      ? undefined
      : planItems({ ...itemsSource(configuration), idKind: planned?.load.items.kind, signal }),
  )
  const { features } = configuration.items
  // A column of the payload may be missing, one to learn from may not.
  if (features.length > 0) {
    await attempt(() => planItems({ ...itemsSource(configuration), columns: features, absentColumns: 'error', signal }))
  }
  const faults = outcomes.flatMap((outcome) => ('fault' in outcome ? [outcome.fault] : []))
  if (faults.length === 1) throw faults[0]
  if (faults.length > 1) {
    throw new Error(faults.map((fault) => (fault instanceof Error ? describe(fault) : String(fault))).join('\n'))
  }
  return { ...planned!, items, serving }
}

function describeRows({ load }: Plan): string {
  return `${grouped(load.rows)} rows in ${grouped(load.files)} files, ${bytes(load.bytes)} to read in each of two passes`
}

function describeRest(configuration: Configuration, { items, serving }: Plan): string[] {
  return [...(items ? [describeItems(configuration, items)] : []), ...(serving ? [serving] : [])]
}

/** The load in memory or, where that is more than the process may use, through temporary files. */
async function planWithinMemory(
  configuration: Configuration,
  signal: AbortSignal,
): Promise<Pick<Plan, 'load' | 'memoryBudget'>> {
  const options = loadOptions(configuration, signal)
  const load = await planLoad(options)
  const limit = configuration.memory
  if (load.memory.total <= limit) return { load }
  const { runtime, result, total } = load.memory
  const memoryBudget = limit - runtime - result
  const refusal = (cause?: unknown) =>
    new Error(
      `The load may take ${bytes(total)}, ${bytes(result)} of it for a matrix of ${grouped(load.sampledRows)} rows, and this ` +
        `process may use ${bytes(limit)}. Take fewer users (SAMPLE_FRAC_*), give it more memory, or, where thresholds drop ` +
        'most rows, set MEMORY_LIMIT to what you expect it to need.',
      { cause },
    )
  if (memoryBudget <= 0) throw refusal()
  try {
    const spilled = await planLoad({ ...options, memoryBudget })
    const what = 'The load works through temporary files, which'
    checkSpace(temporaryFolder(configuration), spillBytes(spilled), what, 'Set WORK_DIR to a larger one.')
    return { load: spilled, memoryBudget }
  } catch (error) {
    throw error instanceof LoadError && error.code === 'memory' ? refusal(error) : error
  }
}

function describe({ message, cause }: Error): string {
  return cause instanceof Error && !message.includes(cause.message)
    ? `${message}\n  because: ${cause.message}`
    : message
}

function describeItems({ items }: Configuration, { rows, absent }: ItemsPlan): string {
  const without = absent.length > 0 ? ` (without ${absent.join(', ')})` : ''
  return `${grouped(rows)} ${items.name}${without}`
}

async function findServing(configuration: Configuration, signal: AbortSignal): Promise<string | undefined> {
  const { url, apiKey, alias, allowNewShape } = configuration.qdrant
  if (!url) return undefined
  try {
    const { items: vectors, users } = servedShapes(configuration)
    const { serving } = await preflight({
      url,
      apiKey,
      alias,
      vectors,
      ...(users && { users: { vectors: users } }),
      allowNewShape,
      retry: { retries: 2 },
      signal,
    })
    return serving
      ? `${serving.collection} serves, about ${grouped(serving.points)} points`
      : `no generation of ${alias} serves yet`
  } catch (error) {
    const { origin, pathname } = new URL(url)
    const address = `${origin}${pathname.replace(/\/$/, '')}`
    const { message } = error as Error
    const what = message.includes('allowNewShape')
      ? 'has other vectors: keep VECTOR_DIM and VECTORS, or set ALLOW_NEW_SHAPE=true.'
      : 'does not answer: check QDRANT_URL and QDRANT_API_KEY.'
    throw new Error(`Qdrant at ${address} ${what}`, { cause: error })
  }
}

const MANIFEST = 'manifest.json'

/** Whether a folder has a complete model: its manifest comes last. */
export function holdsModel(folder: string): boolean {
  return existsSync(join(folder, MANIFEST))
}

/** A model to start from must have as many factors as the training; that there is none yet is no fault. */
function checkInitialModel({ output, training }: Configuration): void {
  const { initialModel } = output
  if (initialModel === undefined || !holdsModel(initialModel)) return
  const { factors } = JSON.parse(readFileSync(join(initialModel, MANIFEST), 'utf8')) as { factors?: number }
  if (factors === training.factors) return
  throw new Error(
    `INITIAL_MODEL=${initialModel} has ${factors} factors, expected ${training.factors}. ` +
      `Set VECTOR_DIM=${factors}, or leave INITIAL_MODEL out to start at random.`,
  )
}
