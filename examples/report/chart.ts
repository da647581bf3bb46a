import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { type Html, html, trusted } from './markup.ts'

/** Colours by name; the page's style gives each a light and a dark value. */
export const ink = {
  text: 'var(--text)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  first: 'var(--first)',
  second: 'var(--second)',
  third: 'var(--third)',
  faint: 'var(--faint)',
  good: 'var(--good)',
  bad: 'var(--bad)',
} as const

/** What a chart is drawn with on a wide page and on a phone. */
export interface Canvas {
  readonly width: number
  readonly narrow: boolean
}

const CANVASES: readonly Canvas[] = [
  { width: 720, narrow: false },
  { width: 330, narrow: true },
]

/**
 * A chart twice, for a wide page and for a phone: scaled down, its text would be too small to read. Readers of the screen
 * get its description, and the table that stands behind it.
 */
export function chart(description: string, options: (canvas: Canvas) => Plot.PlotOptions): Html {
  const drawn = CANVASES.map((canvas) => {
    const { document } = parseHTML('<!doctype html><html><body></body></html>')
    const { width, narrow } = canvas
    const svg = Plot.plot({
      document,
      width,
      marginTop: 24,
      marginRight: 16,
      style: { background: 'none', color: ink.text, fontFamily: 'inherit', fontSize: '12px' },
      ...options(canvas),
    })
    // Its rules are in the page's style, once.
    for (const style of svg.querySelectorAll('style')) style.remove()
    svg.removeAttribute('class')
    svg.setAttribute('class', narrow ? 'chart narrow' : 'chart wide')
    svg.setAttribute('role', 'img')
    svg.setAttribute('aria-label', description)
    return trusted(svg.outerHTML)
  })
  return html`<div class="charts">${drawn}</div>`
}

/** The names of colours, above a chart. */
export function legend(entries: readonly (readonly [name: string, colour: string])[]): Html {
  return html`<ul class="legend">${entries.map(
    ([name, colour]) => html`<li><span class="swatch" style="background:${colour}"></span>${name}</li>`,
  )}</ul>`
}
