import { type AlsModel, type InteractionMatrix, Recommender } from '@seesaw/als-core'
import type { Configuration } from '../configuration/schema.ts'
import type { NamedItem, Person } from '../report/run-record.ts'
import type { ItemStore } from './item-store.ts'
import type { Learned } from './learn.ts'
import { asText, nameOf } from './payload.ts'
import { sampleUsers } from './sample-users.ts'

/** Items of a history, of a list and of what it misses that are shown. */
const SHOWN = 10
/** Items that are named as the reason for another. */
const REASONS = 3

/**
 * Some users as they are: what they have, what they are recommended and why, and what was held out of it. They are drawn,
 * not chosen for good lists, from those with something known and, where entries were held out, something to be found.
 */
export async function recordPeople(
  { report, seed, threads }: Configuration,
  { model, matrix, heldOut }: Pick<Learned, 'model' | 'matrix' | 'heldOut'>,
  items: ItemStore,
  payload: readonly string[],
  signal: AbortSignal,
): Promise<Person[]> {
  const users = sampleUsers(heldOut ? [matrix, heldOut] : [matrix], report.users, seed)
  if (users.length === 0) return []
  const recommender = new Recommender(model, { interactions: matrix, threads })
  try {
    const lists = await recommender.recommend(users, { limit: SHOWN, signal })
    const people: Person[] = []
    for (const [q, user] of users.entries()) {
      const own = itemsOf(matrix, user)
      const hidden = heldOut ? itemsOf(heldOut, user) : []
      const found = [...lists.at(q)]
      const list: Person['list'] = []
      for (const [rank, { row, score }] of found.entries()) {
        signal.throwIfAborted()
        const explained = rank < explainedItems(model)
        const because = explained
          ? await reasons(recommender, user, row, (item) => named(items, item, payload).name)
          : []
        list.push({ ...named(items, row, payload), score, heldOut: hidden.includes(row), because })
      }
      const listed = new Set(found.map(({ row }) => row))
      const missed = hidden.filter((row) => !listed.has(row))
      people.push({
        id: String(model.userIds?.at(user) ?? user),
        history: own.slice(0, SHOWN).map((row) => named(items, row, payload)),
        known: own.length,
        list,
        missed: missed.slice(0, SHOWN).map((row) => named(items, row, payload)),
        heldOut: hidden.length,
      })
    }
    return people
  } finally {
    await recommender.close()
  }
}

/** An explanation solves one k×k system: 1 ms with 128 factors, 0.2 s with 1,024. All of them take a second or two. */
function explainedItems({ factors }: AlsModel): number {
  return factors <= 256 ? SHOWN : factors <= 512 ? REASONS : 1
}

/** The user's items that add most to a score, each with its share of all that adds. */
async function reasons(
  recommender: Recommender,
  user: number,
  item: number,
  name: (row: number) => string,
): Promise<{ name: string; share: number }[]> {
  const { contributions } = await recommender.explain(user, item)
  const all = contributions.reduce((sum, { contribution }) => sum + Math.max(0, contribution), 0)
  return contributions
    .filter(({ contribution }) => contribution > 0)
    .slice(0, REASONS)
    .map(({ row, contribution }) => ({ name: name(row), share: contribution / all }))
}

/** Items of a user by descending value, equal ones by row. */
function itemsOf({ csr, codebook }: InteractionMatrix, user: number): number[] {
  const [from, to] = [csr.indptr[user]!, csr.indptr[user + 1]!]
  const value = (e: number) => (codebook ? codebook[csr.values[e]!]! : csr.values[e]!)
  const entries = Array.from({ length: to - from }, (_, n) => from + n)
  return entries.sort((a, b) => value(b) - value(a) || a - b).map((e) => csr.indices[e]!)
}

/** An item by its name and the columns of the payload after that. */
function named(items: ItemStore, row: number, payload: readonly string[]): NamedItem {
  const item = items.payload(row)
  const details = payload.slice(1, 4).map((column) => asText(item[column]))
  return { id: String(item.item_id), name: nameOf(item, payload), details: details.filter(Boolean).join(' · ') }
}
