import { z } from 'zod'

const count = z.number().int().min(0)
/** How many have 1, 2 to 3, 4 to 7 ...: element b counts those with 2^b to 2^(b+1) - 1. */
const octaves = z.array(count)

const stage = z.object({
  stage: z.string(),
  /** Seconds since the run began. */
  began: z.number(),
  seconds: z.number(),
  /** Bytes. */
  peakMemory: z.number(),
  outcome: z.string(),
  /** It did not end well; `outcome` says why. */
  failed: z.boolean().optional(),
})

const side = z.object({
  seen: count,
  active: count,
  /** By rows, before the thresholds. */
  before: octaves,
  /** By entries of the matrix. */
  after: octaves,
  threshold: count,
})

const source = z.object({
  name: z.string(),
  files: count,
  rows: count,
  nullIds: count,
  negativeIds: count,
  notSampled: count,
  outsideWindow: count,
  withoutConfidence: count,
  counted: count,
  inactiveUser: count,
  inactiveItem: count,
  used: count,
})

const data = z.object({
  sources: z.array(source),
  users: side,
  items: side,
  merged: count,
  entries: count,
  /** Seconds of the load by phase. */
  seconds: z.record(z.string(), z.number()),
  warnings: z.array(z.string()),
})

const iteration = z.object({
  iteration: count,
  /** Absent where it was no number. */
  loss: z.number().optional(),
  seconds: z.number(),
  entriesPerSecond: z.number(),
  /** NDCG@20 on a sample of the users with held-out entries. */
  ndcg: z.number().optional(),
})

/** Users or items by what is known of them, and how well they are served. */
const group = z.object({
  /** Octave of training entries. */
  octave: count,
  users: count.optional(),
  /** Held-out entries. */
  relevant: count,
  recall: z.number(),
})

const quality = z.object({
  name: z.string(),
  users: count,
  recall: z.number(),
  ndcg: z.number(),
  map: z.number(),
  mrr: z.number(),
  hitRate: z.number(),
  meanPopularity: z.number(),
  /** Absent where only some of the users were asked for: these two grow with their number. */
  coverage: z.number().optional(),
  gini: z.number().optional(),
  /** Head, middle and tail of the catalogue: a third of the training entries each. */
  buckets: z.array(z.object({ name: z.string(), items: count, recall: z.number() })),
  /** Recommendations by octave of the item's training entries. */
  recommended: octaves,
  /** Recall averaged over users, by octave of their training entries. */
  byUser: z.array(group),
  /** Share of the held-out entries that were found, by octave of the item's training entries. */
  byItem: z.array(group),
})

const novelty = z.object({
  /** With training entries, with none but held-out ones, and not in the model that training started from. */
  users: z.object({ warm: count, cold: count, new: count.optional() }),
  items: z.object({ warm: count, cold: count, new: count.optional() }),
})

const popularity = z.object({
  /** Items by octave of their training entries. */
  items: octaves,
  /** The training entries of those items. */
  entries: octaves,
})

const serving = z.object({
  answeredBy: z.string(),
  approximate: z.boolean(),
  figures: z.array(
    z.object({
      kind: z.string(),
      metric: z.string(),
      users: count,
      recall: z.number(),
      ndcg: z.number(),
      agreement: z.number(),
      /** Recall of the exact answers, where others were measured. */
      exactRecall: z.number().optional(),
      p50: z.number(),
      p99: z.number(),
    }),
  ),
})

const item = z.object({ id: z.string(), name: z.string(), details: z.string() })
const because = z.object({ name: z.string(), share: z.number() })

const person = z.object({
  id: z.string(),
  /** Training entries, the most telling first; `known` counts them all. */
  history: z.array(item),
  known: count,
  list: z.array(item.extend({ score: z.number(), heldOut: z.boolean(), because: z.array(because) })),
  /** Held-out entries that the list misses; `heldOut` counts them all. */
  missed: z.array(item),
  heldOut: count,
})

export const runRecord = z.object({
  format: z.literal('seesaw-run'),
  version: z.literal(1),
  status: z.enum(['running', 'complete', 'failed', 'interrupted']),
  /** Why it failed. */
  error: z.string().optional(),
  /** When it began, as ISO 8601 in UTC. */
  began: z.string(),
  /** Until the record was last saved. */
  seconds: z.number(),
  /** What the run was told, as variables; keys and passwords are masked. */
  settings: z.array(z.object({ name: z.string(), value: z.string() })),
  stages: z.array(stage),
  memory: z.object({
    /** Bytes that the process may use. */
    limit: z.number(),
    /** Seconds since the run began, and resident bytes: the highest of the time up to the next. */
    samples: z.array(z.tuple([z.number(), z.number()])),
    /** Bytes that stages were planned to take. */
    plans: z.array(z.object({ stage: z.string(), bytes: z.number() })),
  }),
  data: data.optional(),
  split: z.object({ training: count, heldOut: count }).optional(),
  training: z
    .object({
      iterations: z.array(iteration),
      /** Of iterations made by an earlier run, from whose checkpoint this one went on. */
      resumedAfter: count.optional(),
      measuredUsers: count.optional(),
    })
    .optional(),
  novelty: novelty.optional(),
  popularity: popularity.optional(),
  quality: z.array(quality).optional(),
  /** What was recommended to some users, where nothing was held out to measure with. */
  listed: z.object({ users: count, recommended: octaves, coverage: z.number() }).optional(),
  serving: serving.optional(),
  people: z.array(person).optional(),
  /** What could not be collected, and why. */
  warnings: z.array(z.string()),
})

/** What a run of the pipeline did, as plain data: what its report is made of, and what two runs are compared by. */
export type RunRecord = z.infer<typeof runRecord>
export type StageRecord = RunRecord['stages'][number]
export type QualityRecord = NonNullable<RunRecord['quality']>[number]
export type Person = NonNullable<RunRecord['people']>[number]
export type NamedItem = z.infer<typeof item>

/** The octave of a count above 0: 0 for 1, 1 for 2 and 3, 2 for 4 to 7. */
export function octaveOf(value: number): number {
  return 31 - Math.clz32(value)
}
