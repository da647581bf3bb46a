import type { ItemStore } from './item-store.ts'
import { asText, type ItemPayload } from './payload.ts'
import type { WholeCatalogue } from './whole-catalogue.ts'

/** Something a person would ask a catalogue, answered alike in process and by Qdrant. */
export interface Question {
  readonly title: string
  /** Items to be near to: the mean of their vectors. One item asks for items like it, several for the taste they show. */
  readonly positive: readonly ItemPayload[]
  /** Items to move away from. */
  readonly negative: readonly ItemPayload[]
  readonly filter: QuestionFilter
}

/** All that are given must hold. */
export interface QuestionFilter {
  /** Values by column: the column is the value, or lists it. */
  readonly has?: Readonly<Record<string, string>>
  /** Smallest and largest number by column. */
  readonly between?: Readonly<Record<string, readonly [number, number]>>
}

/** Answers questions, best first. */
export interface Answerer {
  /** Who answers, as 'in process'. */
  readonly name: string
  answer(question: Question, limit: number): Promise<Answer[]>
  close(): Promise<void>
}

export interface Answer {
  readonly item: ItemPayload
  readonly score: number
}

/** Whether an item passes a filter. */
export function passes(item: ItemPayload, { has = {}, between = {} }: QuestionFilter): boolean {
  return (
    Object.entries(has).every(([column, value]) => [item[column]].flat().map(asText).includes(value)) &&
    Object.entries(between).every(([column, [least, most]]) => {
      const number = item[column]
      return typeof number === 'number' && number >= least && number <= most
    })
  )
}

/** Questions about any catalogue: the three items with most interactions, and a blend of them. */
export function askAboutBestKnown(items: Pick<ItemStore, 'counts' | 'payload'>): Question[] {
  const best: number[] = []
  for (let row = 0; row < items.counts.length; row++) {
    if (best.length === 3 && items.counts[row]! <= items.counts[best[2]!]!) continue
    best.push(row)
    best.sort((a, b) => items.counts[b]! - items.counts[a]! || a - b)
    best.length = Math.min(3, best.length)
  }
  const positive = best.map((row) => items.payload(row))
  const similar = positive.map((item) => ({ title: 'Similar items', positive: [item], negative: [], filter: {} }))
  return positive.length > 1
    ? [...similar, { title: `A blend of ${positive.length}`, positive, negative: [], filter: {} }]
    : similar
}

/** Questions about items that nobody has yet: what is nearest to them of what is known. */
export function askAboutNew(
  catalogue: Pick<WholeCatalogue, 'length' | 'evidence' | 'payload'>,
  count: number,
  title = 'Items that nobody has yet',
): Question[] {
  const questions: Question[] = []
  for (let row = 0; row < catalogue.length && questions.length < count; row++) {
    if (catalogue.evidence(row) !== 'new') continue
    const filter = { has: { evidence: 'trained' } }
    questions.push({ title, positive: [catalogue.payload(row)], negative: [], filter })
  }
  return questions
}
