/** Which part of the map is seen: the point in the middle, and pixels per unit. */
export interface View {
  readonly x: number
  readonly y: number
  readonly scale: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** The map reaches from -edge to edge. */
const edge = { x: 1500, y: 1000 }
const farthest = 0.5
const nearest = 60

/** All of the map. */
export function wholeMap({ width, height }: Size): View {
  return { x: 0, y: 0, scale: Math.min(width / edge.x, height / edge.y) / 2.1 }
}

export function toScreen(view: View, size: Size, x: number, y: number): [number, number] {
  return [size.width / 2 + (x - view.x) * view.scale, size.height / 2 - (y - view.y) * view.scale]
}

export function fromScreen(view: View, size: Size, left: number, top: number): [number, number] {
  return [view.x + (left - size.width / 2) / view.scale, view.y - (top - size.height / 2) / view.scale]
}

/** By pixels: what is under the pointer stays under it. */
export function pan(view: View, right: number, down: number): View {
  return clamp({ ...view, x: view.x - right / view.scale, y: view.y + down / view.scale })
}

/** Around a point of the screen, which stays where it is. */
export function zoom(view: View, size: Size, factor: number, left: number, top: number): View {
  const whole = wholeMap(size).scale
  const scale = Math.min(nearest * whole, Math.max(farthest * whole, view.scale * factor))
  const [x, y] = fromScreen(view, size, left, top)
  const moved = { x: view.x, y: view.y, scale }
  const [after, above] = fromScreen(moved, size, left, top)
  return clamp({ x: moved.x + x - after, y: moved.y + y - above, scale })
}

/** The middle stays on the map. */
function clamp({ x, y, scale }: View): View {
  return { x: Math.max(-edge.x, Math.min(edge.x, x)), y: Math.max(-edge.y, Math.min(edge.y, y)), scale }
}

/** The place of the point nearest to a point of the screen, at most `reach` pixels away; -1 for none. */
export function nearestPoint(
  view: View,
  size: Size,
  points: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> },
  left: number,
  top: number,
  reach: number,
): number {
  const [x, y] = fromScreen(view, size, left, top)
  let best = -1
  let least = (reach / view.scale) ** 2
  for (let n = 0; n < points.x.length; n++) {
    const distance = (points.x[n]! - x) ** 2 + (points.y[n]! - y) ** 2
    if (distance > least) continue
    least = distance
    best = n
  }
  return best
}
