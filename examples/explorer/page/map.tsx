import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Item, MapPoints } from '../answers.ts'
import { drawPoints } from './map-drawing.ts'
import { useGestures } from './map-gestures.ts'
import { nearestPoint, type Size, toScreen, type View, wholeMap, zoom } from './map-view.ts'

interface MapProps {
  readonly points: MapPoints
  readonly seeds: readonly string[]
  readonly negatives: readonly string[]
  readonly listed: readonly Item[]
  readonly genre: string | undefined
  readonly onPick: (id: string) => void
  readonly onGenre: (genre: string | undefined) => void
}

/** Pixels within which a point is meant. */
const REACH = 14

export function CatalogueMap({ points, seeds, negatives, listed, genre, onPick, onGenre }: MapProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  const [view, setView] = useState<View | undefined>(undefined)
  const [hovered, setHovered] = useState(-1)
  const [byKeys, setByKeys] = useState(false)
  const theme = useTheme()
  const places = useMemo(() => new Map(points.ids.map((id, n) => [id, n])), [points])
  const seen = view ?? wholeMap(size)

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect
      setSize({ width, height })
    })
    observer.observe(canvas.current!)
    return () => observer.disconnect()
  }, [])

  const pick = (n: number) => {
    if (n >= 0) onPick(points.ids[n]!)
  }
  useGestures(canvas, size, seen, {
    onView: setView,
    onPoint: (left, top) => {
      setByKeys(false)
      setHovered(nearestPoint(seen, size, points, left, top, REACH))
    },
    onLeave: () => setHovered(-1),
    onPick: (left, top) => pick(nearestPoint(seen, size, points, left, top, REACH)),
    onKeys: () => setByKeys(true),
    onReset: () => setView(undefined),
  })
  const middle = nearestPoint(seen, size, points, size.width / 2, size.height / 2, 60)
  const shown = byKeys ? middle : hovered

  useEffect(() => {
    if (size.width === 0) return
    const find = (ids: readonly string[]) => ids.flatMap((id) => places.get(id) ?? [])
    drawPoints(canvas.current!, size, seen, points, {
      seeds: find(seeds),
      negatives: find(negatives),
      listed: seeds.length > 0 ? find(listed.map(({ id }) => id)) : [],
      hovered: shown,
      cross: byKeys,
      genre,
    })
  }, [size, view, points, seeds, negatives, listed, shown, byKeys, genre, theme])

  const [left, top] = shown >= 0 ? toScreen(seen, size, points.x[shown]!, points.y[shown]!) : [0, 0]
  const zoomBy = (factor: number) => setView(zoom(seen, size, factor, size.width / 2, size.height / 2))
  return (
    <section class="map" aria-label="Map of the catalogue">
      <div class="canvas">
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it takes keys of its own, which application says */}
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label={`Map of ${points.ids.length.toLocaleString('en')} items. Arrows move, plus and minus zoom, Enter picks what is in the middle, 0 shows all.`}
          onKeyDown={(event) => {
            if (event.key === 'Enter') pick(middle)
          }}
          onBlur={() => setByKeys(false)}
        />
        {shown >= 0 && (
          <p
            class={`tip${left > size.width / 2 ? ' leftward' : ''}`}
            role="status"
            style={{ left: `${left}px`, top: `${top}px` }}
          >
            {points.names[shown]}
          </p>
        )}
        <fieldset class="zoom" aria-label="Zoom">
          <button type="button" aria-label="Zoom in" onClick={() => zoomBy(1.6)}>
            +
          </button>
          <button type="button" aria-label="Zoom out" onClick={() => zoomBy(1 / 1.6)}>
            −
          </button>
          <button type="button" aria-label="Show all" onClick={() => setView(undefined)}>
            ⤢
          </button>
        </fieldset>
      </div>
      <ul class="legend" aria-label="Genres">
        {points.genres.map((name, n) => (
          <li key={name}>
            <button
              type="button"
              aria-pressed={genre === name}
              onClick={() => onGenre(genre === name ? undefined : name)}
            >
              <span class={`dot g${n}`} aria-hidden="true" /> {name}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Changes when the system goes from light to dark or back. */
function useTheme(): boolean {
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const read = () => setDark(query.matches)
    query.addEventListener('change', read)
    return () => query.removeEventListener('change', read)
  }, [])
  return dark
}
