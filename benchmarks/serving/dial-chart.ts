/** Recall against popularity as the length exponent goes from 0 to 1, drawn for docs/serving.md. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

export interface DialPoint {
  data: string
  /** By what it was asked. */
  kind: string
  /** 'p = …' along the dial, or 'cosine'. */
  index: string
  recall: number
  meanPopularity: number
}

export function drawDial(points: readonly DialPoint[]): void {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const dial = points.filter(({ index }) => index !== 'cosine')
  const cosine = points.filter(({ index }) => index === 'cosine')
  const names = { blend: 'all items', recent: 'five items', seed: 'one item' } as Record<string, string>
  const asked = ({ kind }: DialPoint) => names[kind]
  const svg = Plot.plot({
    document,
    width: 900,
    height: 340,
    marginLeft: 56,
    marginTop: 52,
    style: { background: 'white', fontFamily: 'sans-serif', fontSize: '12px' },
    fx: { label: null, domain: [...new Set(points.map(({ data }) => data))] },
    x: { label: 'mean interactions of what is recommended', grid: true, ticks: 5, zero: true },
    y: { label: 'Recall@20', grid: true, zero: true },
    color: { legend: false, domain: Object.values(names), range: ['#1f77b4', '#d6604d', '#4d9221'] },
    marks: [
      Plot.line(dial, { fx: 'data', x: 'meanPopularity', y: 'recall', z: asked, stroke: asked, marker: 'dot' }),
      Plot.dot(cosine, { fx: 'data', x: 'meanPopularity', y: 'recall', stroke: asked, symbol: 'times', r: 5 }),
      Plot.text(
        dial.filter(({ index }) => index === 'p = 0'),
        { fx: 'data', x: 'meanPopularity', y: 'recall', text: asked, fill: asked, textAnchor: 'end', dy: -10 },
      ),
      Plot.text(['Taste space, from p = 0 (right) to p = 1 (left); a cross is cosine of the item factors'], {
        frameAnchor: 'top-left',
        fx: points[0].data,
        dy: -36,
        fontSize: 14,
        fontWeight: 'bold',
      }),
    ],
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  writeFileSync(fileURLToPath(new URL('../../docs/serving-dial.svg', import.meta.url)), `${svg.outerHTML}\n`)
}
