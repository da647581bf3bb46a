import { OptionError } from '../checks/option-error.ts'
import { refuseUnknownNames } from '../checks/unknown-names.ts'
import { integer, oneOf, positiveInteger } from '../checks/values.ts'
import { countInteractions } from '../matrix/entries.ts'
import type { InteractionMatrix } from '../matrix/interaction-matrix.ts'
import type { AlsModel } from '../model/als-model.ts'
import { createWorkerPool, type WorkerPool } from '../pool/worker-pool.ts'
import { Recommender } from '../recommend/recommender.ts'
import { MetricSums } from './ranking-metrics.ts'
import {
  drawUsers,
  makeQuestion,
  type QuestionOptions,
  relevantItems,
  type ServingQuestion,
  type ServingQuestionKind,
} from './serving-questions.ts'

/** What serves: an index such as a Qdrant collection, or a recommender in process. */
export interface ServingIndex {
  /** Rows of the best items, best first, without those of `exclude`; those beyond `limit` do not count. */
  answer(question: ServingQuestion, signal?: AbortSignal): Promise<ArrayLike<number>>
}

export interface EvaluateServingOptions extends QuestionOptions {
  /** Default: exact answers in process. */
  index?: ServingIndex
  /** Length of the lists. Default 20. */
  limit?: number
  /** Kinds of question. Default: all four. */
  kinds?: readonly ServingQuestionKind[]
  /** Vectors to ask. Default: both. */
  metrics?: readonly ('taste' | 'cosine')[]
  /** Questions at a time. Default 4. */
  concurrency?: number
  pool?: WorkerPool
  /** Threads of an own pool. Default: all cores. */
  threads?: number
  signal?: AbortSignal
  /** Called after every 100 questions. */
  onProgress?: (progress: { questions: number; done: number }) => void
}

/** How well one kind of question was answered. */
export interface ServingFigures {
  readonly kind: ServingQuestionKind
  readonly metric: 'taste' | 'cosine'
  /** Users asked for. */
  readonly users: number
  readonly recall: number
  readonly ndcg: number
  /** Share of the exact answers' items that were in the answers: what approximation and quantization lose. */
  readonly agreement: number
  /** Mean training interactions of an item in an answer. */
  readonly meanPopularity: number
  /** Share of the catalogue that was in an answer. */
  readonly coverage: number
  /** Milliseconds per question, the median and the 99th percentile. */
  readonly p50: number
  readonly p99: number
}

/**
 * Asks an index what users ask, and measures the answers on held-out items: quality, agreement with the exact answers, and
 * time. The users are the same for every kind.
 *
 * @throws RangeError when matrices and model differ in shape or nobody has items in both matrices; Error when an answer has
 * an item that was to be left out.
 */
export async function evaluateServing(model: AlsModel, options: EvaluateServingOptions): Promise<ServingFigures[]> {
  checkOptions(options)
  const { train, test, kinds = KINDS, metrics = METRICS, concurrency = 4, signal } = options
  checkShapes(model, train, test)
  const limit = Math.min(options.limit ?? 20, model.items)
  const pool = options.pool ?? createWorkerPool({ threads: options.threads })
  const recommender = new Recommender(model, { interactions: train, pool })
  try {
    const users = drawUsers(options)
    const asked = kinds.flatMap((kind) =>
      metrics.filter((metric) => kind !== 'user' || metric === 'taste').map((metric) => ({ kind, metric })),
    )
    const index = options.index ?? answerInProcess(recommender)
    const figures: ServingFigures[] = []
    let done = 0
    for (const { kind, metric } of asked) {
      const questions = users.map((user) => makeQuestion(kind, metric, user, limit, options))
      const exact = await answerExactly(recommender, questions)
      const { answers, milliseconds } = await ask(index, questions, concurrency, signal, () => {
        done++
        if (done % 100 === 0 || done === asked.length * users.length)
          options.onProgress?.({ questions: asked.length * users.length, done })
      })
      figures.push(measure(questions, answers, exact, milliseconds, { train, test, limit }))
    }
    return figures
  } finally {
    await recommender.close()
    if (!options.pool) await pool.close()
  }
}

/** A recommender as an index: its answers are the exact ones. */
export function answerInProcess(recommender: Recommender): ServingIndex {
  return { answer: async (question) => (await answerExactly(recommender, [question]))[0] }
}

const KINDS: readonly ServingQuestionKind[] = ['user', 'blend', 'recent', 'seed']
const METRICS = ['taste', 'cosine'] as const

const NAMES: Readonly<Record<keyof EvaluateServingOptions, true>> = {
  train: true,
  test: true,
  users: true,
  recent: true,
  newestFirst: true,
  seed: true,
  index: true,
  limit: true,
  kinds: true,
  metrics: true,
  concurrency: true,
  pool: true,
  threads: true,
  signal: true,
  onProgress: true,
}

function checkOptions(options: EvaluateServingOptions): void {
  refuseUnknownNames('evaluateServing', options, NAMES)
  const { limit = 20, users = 1000, recent = 5, concurrency = 4, seed = 42, kinds = KINDS, metrics = METRICS } = options
  for (const [name, value] of Object.entries({ limit, users, recent, concurrency })) positiveInteger(name, value)
  integer('seed', seed, 0, 2 ** 32 - 1)
  for (const [name, values, choices] of [
    ['kinds', kinds, KINDS],
    ['metrics', metrics, METRICS],
  ] as const) {
    if (!Array.isArray(values)) throw new OptionError(`${name} is ${JSON.stringify(values)}, expected an array.`)
    for (const [i, value] of values.entries()) oneOf<string>(`${name}[${i}]`, value, choices)
  }
  const { index } = options
  if (index !== undefined && typeof index?.answer !== 'function') {
    throw new OptionError('index has no answer(question), expected a function that gives rows of items.')
  }
}

/** The exact answers to questions of one kind and metric: longer lists, whose excluded items are dropped. */
async function answerExactly(recommender: Recommender, questions: readonly ServingQuestion[]): Promise<Uint32Array[]> {
  const answers: Uint32Array[] = []
  for (let from = 0; from < questions.length; from += BATCH) {
    const some = questions.slice(from, from + BATCH)
    const [{ kind, metric }] = some
    const longest = some.reduce((max, { exclude, limit }) => Math.max(max, limit + exclude.length), 0)
    const lists =
      kind === 'user'
        ? await recommender.recommend(
            some.map(({ user }) => user),
            { limit: longest, exclude: false },
          )
        : await recommender.blend(
            some.map(({ positive }) => ({ positive })),
            { limit: longest, metric },
          )
    for (const [q, { exclude, limit }] of some.entries()) {
      const out = new Set(exclude)
      const list = lists.rows.subarray(q * lists.limit, q * lists.limit + lists.counts[q])
      answers.push(list.filter((row) => !out.has(row)).subarray(0, limit))
    }
  }
  return answers
}

/** Questions answered exactly at a time: their lists are as long as the longest row of a user in it. */
const BATCH = 256

async function ask(
  index: ServingIndex,
  questions: readonly ServingQuestion[],
  concurrency: number,
  signal: AbortSignal | undefined,
  onAnswer: () => void,
): Promise<{ answers: ArrayLike<number>[]; milliseconds: Float64Array }> {
  const answers: ArrayLike<number>[] = new Array(questions.length)
  const milliseconds = new Float64Array(questions.length)
  // Builds what is built at first use, so that it is not in the times.
  await index.answer(questions[0], signal)
  let next = 0
  const run = async (): Promise<void> => {
    while (next < questions.length) {
      signal?.throwIfAborted()
      const q = next++
      const started = performance.now()
      answers[q] = await index.answer(questions[q], signal)
      milliseconds[q] = performance.now() - started
      onAnswer()
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, questions.length) }, run))
  return { answers, milliseconds }
}

function measure(
  questions: readonly ServingQuestion[],
  answers: readonly ArrayLike<number>[],
  exact: readonly Uint32Array[],
  milliseconds: Float64Array,
  { train, test, limit }: Pick<EvaluateServingOptions, 'train' | 'test'> & { limit: number },
): ServingFigures {
  const sums = new MetricSums([limit], new Uint8Array(train.items).fill(1), countInteractions(train))
  let common = 0
  let expected = 0
  for (const [q, { user, exclude, kind, metric }] of questions.entries()) {
    const answer = answers[q]
    if (!(answer?.length >= 0)) {
      throw new Error(
        `The answer to a question of user ${user} (${kind}, ${metric}) is ${answer}, expected rows of items.`,
      )
    }
    const list = Array.from(answer).slice(0, limit)
    const out = new Set(exclude)
    const wrong = list.find((row) => out.has(row) || !(Number.isInteger(row) && row >= 0 && row < train.items))
    if (wrong !== undefined || new Set(list).size < list.length) {
      throw new Error(
        `The answer to a question of user ${user} (${kind}, ${metric}) has ${wrong === undefined ? 'an item twice' : `item ${wrong}, which was to be left out or is none`}. Check what the index was asked.`,
      )
    }
    sums.add(list, relevantItems(test, user))
    const theirs = new Set(list)
    expected += exact[q].length
    for (const row of exact[q]) if (theirs.has(row)) common++
  }
  const [{ recall, ndcg, meanPopularity, coverage, users }] = sums.finish()
  const sorted = milliseconds.slice().sort()
  const percentile = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  const { kind, metric } = questions[0]
  const agreement = expected > 0 ? common / expected : 1
  const p50 = percentile(0.5)
  const p99 = percentile(0.99)
  // Of locals alone, for the reason that `RankingMetrics` gives.
  return { kind, metric, users, recall, ndcg, agreement, meanPopularity, coverage, p50, p99 }
}

function checkShapes(model: AlsModel, train: InteractionMatrix, test: InteractionMatrix): void {
  for (const [name, matrix] of Object.entries({ train, test })) {
    if (!matrix) throw new OptionError(`${name} is ${matrix}, expected a matrix of the model's users and items.`)
    const { users, items } = matrix
    if (users === model.users && items === model.items) continue
    throw new RangeError(
      `${name} is ${users} users × ${items} items, the model ${model.users} × ${model.items}: expected the same rows.`,
    )
  }
}
