import type { MapPoints } from '../answers.ts'
import { type Size, toScreen, type View, wholeMap } from './map-view.ts'

/** Points that stand out, by their places. */
export interface Marks {
  readonly seeds: readonly number[]
  readonly negatives: readonly number[]
  readonly listed: readonly number[]
  /** The point under the pointer, or in the middle where keys are used; -1 for none. */
  readonly hovered: number
  /** Whether a cross shows the middle, which Enter picks from. */
  readonly cross: boolean
  /** A genre alone in its colour. */
  readonly genre: string | undefined
}

/** Draws the map. Colours are those of the style sheet, `--genre-0` to `--genre-10`, so that they follow the theme. */
export function drawPoints(canvas: HTMLCanvasElement, size: Size, view: View, points: MapPoints, marks: Marks): void {
  const context = canvas.getContext('2d')!
  const ratio = devicePixelRatio || 1
  if (canvas.width !== Math.round(size.width * ratio)) canvas.width = Math.round(size.width * ratio)
  if (canvas.height !== Math.round(size.height * ratio)) canvas.height = Math.round(size.height * ratio)
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, size.width, size.height)
  const style = getComputedStyle(canvas)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const colors = Array.from({ length: points.genres.length + 1 }, (_, n) =>
    color(`--genre-${n === points.genres.length ? 10 : n}`),
  )
  const chosen = marks.genre === undefined ? -1 : points.genres.indexOf(marks.genre)
  // Points grow with the zoom, less than distances do.
  const dot = Math.min(7, 1.6 * Math.sqrt(view.scale / wholeMap(size).scale))
  // From the last, so that the best known are on top.
  for (let n = points.x.length - 1; n >= 0; n--) {
    const [left, top] = toScreen(view, size, points.x[n]!, points.y[n]!)
    if (left < -9 || top < -9 || left > size.width + 9 || top > size.height + 9) continue
    context.globalAlpha = chosen < 0 || points.genre[n] === chosen ? 0.75 : 0.08
    context.fillStyle = colors[points.genre[n]!]!
    context.beginPath()
    context.arc(left, top, dot * (0.6 + points.popularity[n]! / 125), 0, 2 * Math.PI)
    context.fill()
  }
  context.globalAlpha = 1
  const ring = (n: number, width: number, reach: number, name: string) => {
    const [left, top] = toScreen(view, size, points.x[n]!, points.y[n]!)
    context.lineWidth = width
    context.strokeStyle = color(name)
    context.beginPath()
    context.arc(left, top, dot + reach, 0, 2 * Math.PI)
    context.stroke()
  }
  for (const n of marks.listed) ring(n, 1.5, 2.5, '--text')
  for (const [places, name] of [
    [marks.negatives, '--against'],
    [marks.seeds, '--accent'],
  ] as const) {
    for (const n of places) {
      // A rim in the colour of the ground keeps it apart from points of its own colour.
      ring(n, 9, 4, '--panel')
      ring(n, 4, 4, name)
      ring(n, 2, 0, '--text')
    }
  }
  if (marks.hovered >= 0) ring(marks.hovered, 2, 4, '--text')
  if (marks.cross) drawCross(context, size, color('--text'))
}

function drawCross(context: CanvasRenderingContext2D, { width, height }: Size, color: string): void {
  context.strokeStyle = color
  context.lineWidth = 1
  context.beginPath()
  context.moveTo(width / 2 - 9, height / 2)
  context.lineTo(width / 2 + 9, height / 2)
  context.moveTo(width / 2, height / 2 - 9)
  context.lineTo(width / 2, height / 2 + 9)
  context.stroke()
}
