import { bytes, duration, grouped } from '../text/format.ts'
import { metric, percent } from './numbers.ts'
import type { RunRecord } from './run-record.ts'

/** A figure of two runs. */
export interface Move {
  readonly name: string
  readonly before: number
  readonly after: number
  /** Which way is better; neither where that is not for a figure to say. */
  readonly better: 'higher' | 'lower' | 'neither'
  readonly format: (value: number) => string
}

/** Share by which a figure grew; undefined where it was 0 and is no longer. */
export function change({ before, after }: Move): number | undefined {
  if (before === after) return 0
  return before === 0 ? undefined : after / before - 1
}

/** Changes below this share are none worth a word. */
const SMALL = 0.005

export function judge(move: Move): 'better' | 'worse' | 'same' | 'other' {
  const grown = change(move)
  if (grown !== undefined && Math.abs(grown) < SMALL) return 'same'
  if (move.better === 'neither') return 'other'
  return move.after > move.before === (move.better === 'higher') ? 'better' : 'worse'
}

/** The figures that both runs have, the most telling first. */
export function compareRuns(run: RunRecord, against: RunRecord): Move[] {
  const moves: Move[] = []
  const add = (
    name: string,
    of: (record: RunRecord) => number | undefined,
    better: Move['better'],
    format: Move['format'],
  ) => {
    const [before, after] = [of(against), of(run)]
    if (before !== undefined && after !== undefined) moves.push({ name, before, after, better, format })
  }
  const ours = ({ quality }: RunRecord) => quality?.find(({ name }) => name === 'this model')
  add('Recall@20', (record) => ours(record)?.recall, 'higher', metric)
  add('NDCG@20', (record) => ours(record)?.ndcg, 'higher', metric)
  for (const bucket of ['head', 'middle', 'tail'])
    add(
      `Recall@20, ${bucket}`,
      (record) => ours(record)?.buckets.find(({ name }) => name === bucket)?.recall,
      'higher',
      metric,
    )
  add('users with a hit', (record) => ours(record)?.hitRate, 'higher', percent)
  add('catalogue shown', (record) => ours(record)?.coverage ?? record.listed?.coverage, 'higher', percent)
  add(
    'Recall@20, item kNN',
    ({ quality }) => quality?.find(({ name }) => name === 'item kNN')?.recall,
    'neither',
    metric,
  )
  add(
    'final loss',
    ({ training }) => training?.iterations.at(-1)?.loss,
    'neither',
    (loss) => loss.toPrecision(6),
  )
  add(
    'as exact, at worst',
    ({ serving }) => serving && Math.min(...serving.figures.map((each) => each.agreement)),
    'higher',
    percent,
  )
  add('rows read', ({ data }) => data?.sources.reduce((sum, { rows }) => sum + rows, 0), 'neither', grouped)
  add('users', ({ data }) => data?.users.active, 'neither', grouped)
  add('items', ({ data }) => data?.items.active, 'neither', grouped)
  add('entries', ({ data }) => data?.entries, 'neither', grouped)
  add('time', ({ seconds }) => seconds, 'lower', duration)
  add('time of load', (record) => stageSeconds(record, 'load'), 'lower', duration)
  add('time of train', (record) => stageSeconds(record, 'train'), 'lower', duration)
  add('time of publish', (record) => stageSeconds(record, 'publish'), 'lower', duration)
  add(
    'peak memory',
    ({ stages }) => (stages.length > 0 ? Math.max(...stages.map(({ peakMemory }) => peakMemory)) : undefined),
    'lower',
    bytes,
  )
  return moves
}

function stageSeconds({ stages }: RunRecord, name: string): number | undefined {
  return stages.find(({ stage }) => stage === name)?.seconds
}

/** Settings that the two runs do not share. */
export function changedSettings(run: RunRecord, against: RunRecord): { name: string; before: string; after: string }[] {
  const values = ({ settings }: RunRecord) => new Map(settings.map(({ name, value }) => [name, value]))
  const [before, after] = [values(against), values(run)]
  return [...new Set([...after.keys(), ...before.keys()])]
    .map((name) => ({ name, before: before.get(name) ?? '–', after: after.get(name) ?? '–' }))
    .filter((setting) => setting.before !== setting.after)
}
