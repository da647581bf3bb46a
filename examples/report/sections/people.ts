import { grouped } from '../../text/format.ts'
import { section, table } from '../figure.ts'
import { type Html, html } from '../markup.ts'
import { percent } from '../numbers.ts'
import type { NamedItem, Person, RunRecord } from '../run-record.ts'

/** Users as they are: what they have, what they are recommended and why, and what was held out. */
export function peopleSection({ people }: RunRecord): Html | undefined {
  if (!people || people.length === 0) return undefined
  return section('people', people.length === 1 ? 'One user' : `${grouped(people.length)} users`, [
    html`<p>Drawn by the seed, not chosen for good lists. “Because” names what they have that adds most to the score of an item, with its share.</p>`,
    ...people.map(describePerson),
  ])
}

function describePerson({ id, history, known, list, missed, heldOut }: Person): Html {
  const hits = list.filter((item) => item.heldOut).length
  const columns = ['item', 'because', ...(heldOut > 0 ? ['held out'] : []), 'score']
  return html`<article class="person"><h3>User ${id}</h3>
<p><b>Has</b> ${names(history)}${more(known - history.length)}.</p>
${
  list.length === 0
    ? html`<p>Nothing is left to recommend.</p>`
    : table(
        {
          columns,
          text: columns.length - 1,
          rows: list.map((item) => [
            describeItem(item),
            item.because.length === 0
              ? '–'
              : (item.because.map(
                  ({ name, share }, at) =>
                    html`${at > 0 ? ', ' : ''}${name} <span class="soft">${percent(share, 0)}</span>`,
                ) as unknown as Html),
            ...(heldOut > 0 ? [item.heldOut ? html`<b class="hit">✓ has it</b>` : ''] : []),
            item.score.toFixed(3),
          ]),
        },
        `Recommended to user ${id}`,
      )
}
${heldOut > 0 ? html`<p>${hits} of ${list.length} are among the ${heldOut === 1 ? 'one item that was' : `${grouped(heldOut)} items that were`} held out.${missed.length > 0 ? html` <b>Not in the list:</b> ${names(missed)}${more(heldOut - hits - missed.length)}.` : ''}</p>` : ''}
</article>`
}

function describeItem({ name, details }: NamedItem): Html {
  return html`${name}${details ? html`<br><span class="soft">${details}</span>` : ''}`
}

function names(items: readonly NamedItem[]): string {
  return items.map(({ name }) => name).join(', ')
}

function more(count: number): string {
  return count > 0 ? ` and ${grouped(count)} more` : ''
}
