/** Grouped bars as an SVG file, drawn by Observable Plot on a document that linkedom stands in for. */
import { writeFileSync } from 'node:fs'
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

export interface Bar {
  /** One chart a facet, side by side. */
  facet: string
  /** Where on the axis. */
  group: string
  /** Which of the bars there. */
  series: string
  y: number
}

export function writeBarChart(file: string, title: string, bars: Bar[]): void {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const distinct = (name: 'facet' | 'group' | 'series') => [...new Set(bars.map((bar) => bar[name]))]
  // A band scale for both, since a facet within a facet is not offered; a label of two lines.
  const label = ({ facet, group }: Pick<Bar, 'facet' | 'group'>) => `${group}\n${facet}`
  const svg = Plot.plot({
    document,
    width: 760,
    height: 380,
    marginTop: 60,
    marginBottom: 48,
    marginLeft: 48,
    style: { background: 'white', fontFamily: 'sans-serif', fontSize: '12px' },
    fx: {
      label: null,
      domain: distinct('facet').flatMap((facet) => distinct('group').map((group) => label({ facet, group }))),
    },
    x: { axis: null, domain: distinct('series') },
    y: { label: null, grid: true },
    color: { scheme: 'Tableau10', domain: distinct('series') },
    marks: [
      Plot.barY(bars, { fx: label, x: 'series', y: 'y', fill: 'series' }),
      Plot.text(bars, { fx: label, x: 'series', y: 'y', text: ({ y }: Bar) => y.toFixed(3), dy: -6, fontSize: 9 }),
      Plot.ruleY([0]),
    ],
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', title)
  // The title and the names of the colours, as text: Plot's own legend is HTML.
  const text = (content: string, x: number, y: number, attributes: Record<string, string>) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', 'text')
    const placed = { x: String(x), y: String(y), 'text-anchor': 'start', ...attributes }
    for (const [name, value] of Object.entries(placed)) element.setAttribute(name, value)
    element.textContent = content
    svg.append(element)
  }
  text(title, 12, 20, { 'font-size': '14', 'font-weight': 'bold' })
  const colour = svg.scale('color') as unknown as { apply(name: string): string }
  let x = 12
  for (const name of distinct('series')) {
    text(`■ ${name}`, x, 42, { fill: colour.apply(name) })
    x += 30 + 7 * name.length
  }
  writeFileSync(file, `${svg.outerHTML}\n`)
}
