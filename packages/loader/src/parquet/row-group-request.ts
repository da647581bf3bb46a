import type { ColumnMetaData, SchemaElement } from 'hyparquet'
import type { FoundColumn } from './find-column.ts'
import { encrypted, type RowGroup } from './footer.ts'

/** One row group, as a worker thread is told to read it: plain data, and all that the decoder needs of the footer. */
export interface RowGroupRequest {
  readonly uri: string
  readonly byteLength: number
  readonly group: number
  readonly rows: number
  readonly columns: readonly RequestedColumn[]
  /** [start, end) in the file of the column chunks to fetch, ascending, not overlapping. */
  readonly ranges: readonly (readonly [number, number])[]
}

export interface RequestedColumn {
  /** The name it was asked for. */
  readonly name: string
  /** The name in the file, for errors. */
  readonly actual: string
  /** Structs around it: 0 for a top-level column. */
  readonly depth: number
  /** Its schema, top level first, without the siblings of the structs around it. */
  readonly schema: readonly SchemaElement[]
  /** Where its leaves lie. */
  readonly chunks: readonly ColumnMetaData[]
}

export function rowGroupRequest(
  file: { readonly uri: string; readonly byteLength: number },
  group: number,
  { rows, chunks }: RowGroup,
  columns: readonly FoundColumn[],
): RowGroupRequest {
  const ranges: [number, number][] = []
  const needed = columns.flatMap(({ leaves }) => chunks.slice(...leaves))
  const secret = columns.find(({ leaves }) => chunks.slice(...leaves).some((chunk) => chunk.encrypted))
  if (secret !== undefined) throw encrypted(file.uri, `the pages of column "${secret.actual}" are`)
  for (const { start, end } of needed.sort((a, b) => a.start - b.start)) {
    const last = ranges.at(-1)
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end)
    else ranges.push([start, end])
  }
  const { uri, byteLength } = file
  return { uri, byteLength, group, rows, columns: columns.map((column) => requested(column, chunks)), ranges }
}

function requested({ name, actual, nodes, leaves }: FoundColumn, chunks: RowGroup['chunks']): RequestedColumn {
  const around = nodes.slice(0, -1).map(({ element }) => ({ ...element, num_children: 1 }))
  const below = (tree: FoundColumn['nodes'][number]): SchemaElement[] => [
    tree.element,
    ...tree.children.flatMap((child) => below(child)),
  ]
  return {
    name,
    actual,
    depth: around.length,
    schema: [...around, ...below(nodes[nodes.length - 1])],
    // Its statistics served the plan.
    chunks: chunks.slice(...leaves).map(({ metadata }) => ({ ...metadata, statistics: undefined })),
  }
}
