import { type Html, html } from './markup.ts'

/** A table: names of columns, and rows of cells. Columns of numbers stand to the right. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | Html)[])[]
  /** Number of columns of text, from the left. Default 1. */
  readonly text?: number
}

export function table({ columns, rows, text = 1 }: Table, caption?: string): Html {
  const side = (at: number) => (at < text ? 'text' : 'number')
  const cells = (row: Table['rows'][number]) =>
    row.map((cell, at) =>
      at === 0 ? html`<th scope="row" class="text">${cell}</th>` : html`<td class="${side(at)}">${cell}</td>`,
    )
  return html`<div class="scroll"><table>
${caption ? html`<caption>${caption}</caption>` : ''}<thead><tr>${columns.map((name, at) => html`<th scope="col" class="${side(at)}">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>\n`)}</tbody></table></div>`
}

export interface Figure {
  readonly title: string
  /** What it shows, in a sentence. */
  readonly text: string | Html
  readonly chart?: Html
  readonly legend?: Html
  /** The figures behind the chart. */
  readonly table: Table
}

/** A chart with its title, what it tells, and its figures as a table. */
export function figure({ title, text, chart, legend, table: behind }: Figure): Html {
  return html`<figure>
<figcaption><h3>${title}</h3><p>${text}</p></figcaption>
${legend}${chart}
<details><summary>Figures<span class="hidden"> of “${title}”</span></summary>${table(behind)}</details>
</figure>`
}

/** A part of the page, when there is anything in it. */
export function section(id: string, title: string, figures: readonly (Html | undefined)[]): Html | undefined {
  const present = figures.filter((each) => each !== undefined)
  if (present.length === 0) return undefined
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${present}</section>`
}
