import type { SchemaTree } from 'hyparquet'
import { type ColumnType, columnType } from './column-type.ts'
import type { Footer } from './footer.ts'

/** A column of one file, found by the name it was asked for. */
export interface FoundColumn {
  /** The name asked for. */
  readonly name: string
  /** The name in the file, where only the case differs. */
  readonly actual: string
  readonly type: ColumnType
  /** From the top level down to the column: more than one for a field of a struct. */
  readonly nodes: readonly SchemaTree[]
  /** Leaves [from, to) of the schema that lie in it. */
  readonly leaves: readonly [from: number, to: number]
}

/**
 * Finds a column by its name, or a field of a struct by its path joined with dots (`user.id`). A top-level name that has
 * the dots in it comes first, the exact name before one that differs in case. More than one that fits: all are returned.
 */
export function findColumns(footer: Footer, name: string): FoundColumn[] {
  const found = candidates(footer.columns, name, 0)
  for (const fits of [
    (column: FoundColumn) => column.actual === name && column.nodes.length === 1,
    (column: FoundColumn) => column.actual === name,
    (column: FoundColumn) => column.nodes.length === 1,
  ]) {
    const best = found.filter(fits)
    if (best.length > 0) return best
  }
  return found

  function candidates(trees: readonly SchemaTree[], rest: string, first: number): FoundColumn[] {
    const result: FoundColumn[] = []
    let leaf = first
    for (const tree of trees) {
      const own = tree.element.name
      const leaves = leafCount(tree)
      if (same(own, rest)) {
        const type = columnType(tree.element)
        result.push({ name, actual: own, type, nodes: [tree], leaves: [leaf, leaf + leaves] })
      } else if (isStruct(tree) && same(own, rest.slice(0, own.length)) && rest[own.length] === '.') {
        for (const inner of candidates(tree.children, rest.slice(own.length + 1), leaf)) {
          result.push({ ...inner, actual: `${own}.${inner.actual}`, nodes: [tree, ...inner.nodes] })
        }
      }
      leaf += leaves
    }
    return result
  }
}

/** The column of item ids where none is named. */
export const ITEM_COLUMN = 'item_id'

/**
 * Finds the column of item ids. In a file without `item_id`, when that is what was asked for, it is the only other column
 * whose name ends in `_id`: `release_id`, `film_id`. `user` is the column of the user ids, where there is one.
 */
export function findItemColumns(footer: Footer, name: string, user?: string): FoundColumn[] {
  const fits = findColumns(footer, name)
  if (fits.length > 0 || name !== ITEM_COLUMN) return fits
  const names = footer.columns.map(({ element }) => element.name)
  const [other, ...more] = names.filter((each) => /_id$/i.test(each) && !same(each, user ?? ''))
  if (other === undefined || more.length > 0) return []
  return findColumns(footer, other).map((column) => ({ ...column, name }))
}

export function leafCount(tree: SchemaTree): number {
  return tree.children.length === 0 ? 1 : tree.children.reduce((sum, child) => sum + leafCount(child), 0)
}

/** A group that is one value per row, not a list or a map. */
function isStruct({ element, children }: SchemaTree): boolean {
  const { logical_type: logical, converted_type: converted, repetition_type: repetition } = element
  return children.length > 0 && repetition !== 'REPEATED' && logical === undefined && converted === undefined
}

function same(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase()
}
