import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { pan, type Size, type View, zoom } from './map-view.ts'

export interface Gestures {
  readonly onView: (view: View) => void
  /** A pointer rests or moves over a point of the canvas. */
  readonly onPoint: (left: number, top: number) => void
  readonly onLeave: () => void
  readonly onPick: (left: number, top: number) => void
  /** The map was moved by keys. */
  readonly onKeys: () => void
  readonly onReset: () => void
}

/** A pointer that moved less, in pixels, was a click. */
const CLICK = 5
const STEP = 60

/** Drag, wheel, two fingers and keys. */
export function useGestures(
  canvas: RefObject<HTMLCanvasElement | null>,
  size: Size,
  view: View,
  gestures: Gestures,
): void {
  const now = useRef({ size, view, gestures })
  now.current = { size, view, gestures }
  useEffect(() => {
    const element = canvas.current!
    const pointers = new Map<number, { left: number; top: number }>()
    let moved = 0
    const place = (event: PointerEvent | WheelEvent) => ({ left: event.offsetX, top: event.offsetY })
    const show = (next: View) => {
      now.current.view = next
      now.current.gestures.onView(next)
    }
    const down = (event: PointerEvent) => {
      element.setPointerCapture(event.pointerId)
      if (pointers.size === 0) moved = 0
      pointers.set(event.pointerId, place(event))
    }
    const move = (event: PointerEvent) => {
      const { size, view, gestures } = now.current
      const before = pointers.get(event.pointerId)
      const { left, top } = place(event)
      if (!before) {
        gestures.onPoint(left, top)
        return
      }
      pointers.set(event.pointerId, { left, top })
      moved += Math.hypot(left - before.left, top - before.top)
      if (moved < CLICK) return
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1]
      if (!other) {
        show(pan(view, left - before.left, top - before.top))
        return
      }
      const apart = (point: { left: number; top: number }) =>
        Math.hypot(point.left - other.left, point.top - other.top) || 1
      show(zoom(view, size, apart({ left, top }) / apart(before), (left + other.left) / 2, (top + other.top) / 2))
    }
    const up = (event: PointerEvent) => {
      if (!pointers.delete(event.pointerId)) return
      const { left, top } = place(event)
      if (event.type === 'pointerup' && pointers.size === 0 && moved < CLICK) now.current.gestures.onPick(left, top)
    }
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      const { left, top } = place(event)
      show(zoom(now.current.view, now.current.size, Math.exp(-event.deltaY / 400), left, top))
    }
    const key = (event: KeyboardEvent) => {
      const { size, view, gestures } = now.current
      const middle = [size.width / 2, size.height / 2] as const
      const next: Record<string, () => View> = {
        ArrowLeft: () => pan(view, STEP, 0),
        ArrowRight: () => pan(view, -STEP, 0),
        ArrowUp: () => pan(view, 0, STEP),
        ArrowDown: () => pan(view, 0, -STEP),
        '+': () => zoom(view, size, 1.4, ...middle),
        '=': () => zoom(view, size, 1.4, ...middle),
        '-': () => zoom(view, size, 1 / 1.4, ...middle),
      }
      if (event.key !== '0' && !next[event.key]) return
      event.preventDefault()
      gestures.onKeys()
      if (event.key === '0') gestures.onReset()
      else show(next[event.key]!())
    }
    const leave = () => now.current.gestures.onLeave()
    const listeners = {
      pointerdown: down,
      pointermove: move,
      pointerup: up,
      pointercancel: up,
      pointerleave: leave,
      wheel,
      keydown: key,
    }
    for (const [name, listener] of Object.entries(listeners)) {
      element.addEventListener(name, listener as EventListener, { passive: false })
    }
    return () => {
      for (const [name, listener] of Object.entries(listeners))
        element.removeEventListener(name, listener as EventListener)
    }
  }, [])
}
