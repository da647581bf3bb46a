/** Line charts as SVG files, drawn by Observable Plot on a document that linkedom stands in for. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'

export interface ChartPoint {
  series: string
  x: number
  y: number
}

export interface LineChart {
  /** The file's name in benchmarks/charts, without `.svg`. */
  name: string
  /** Says what y is, with its unit. */
  title: string
  x: string
  points: ChartPoint[]
}

/** Writes a chart with logarithmic axes; a doubling of x at the same slope is a doubling of y. */
export function writeLineChart({ name, title, x, points }: LineChart): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const ticks = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b)
  const last = Math.max(...ticks)
  const svg = Plot.plot({
    document,
    width: 640,
    height: 360,
    marginLeft: 56,
    marginRight: 130,
    marginTop: 44,
    style: { background: 'white', fontFamily: 'sans-serif', fontSize: '12px' },
    x: { type: 'log', label: x, ticks, tickFormat: (value: number) => String(value) },
    y: { type: 'log', label: null, grid: true, ticks: 6, tickFormat: (value: number) => String(value) },
    color: { scheme: 'Tableau10', domain: [...new Set(points.map((point) => point.series))] },
    marks: [
      Plot.line(points, { x: 'x', y: 'y', z: 'series', stroke: 'series', marker: 'dot' }),
      Plot.text(
        points.filter((point) => point.x === last),
        { x: 'x', y: 'y', text: 'series', fill: 'series', textAnchor: 'start', dx: 8 },
      ),
      Plot.text([title], { frameAnchor: 'top-left', dy: -28, fontSize: 14, fontWeight: 'bold' }),
    ],
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  const file = fileURLToPath(new URL(`./${name}.svg`, import.meta.url))
  writeFileSync(file, `${svg.outerHTML}\n`)
  return file
}
