import type { SchemaTree } from 'hyparquet'
import { LoadError } from '../errors.ts'
import type { IdKind } from '../ids/keys.ts'
import { type FoundColumn, findColumns } from '../parquet/find-column.ts'
import type { Footer } from '../parquet/footer.ts'
import { findFiles } from '../plan/find-files.ts'
import { readFooters } from '../plan/read-footers.ts'
import { columnNames, idKind, isId, isNumber, severalOf } from '../plan/resolve-columns.ts'
import { filledGroups, type RowGroupJob, rowGroupJobs } from '../plan/row-group-jobs.ts'
import type { StoredFile } from '../storage/byte-source.ts'
import { connect, type S3Options } from '../storage/connection.ts'
import { Store } from '../storage/store.ts'

export interface VectorsPlan {
  /** The row groups to read, in order. */
  readonly jobs: readonly RowGroupJob[]
  readonly files: readonly StoredFile[]
  readonly dimension: number
  readonly idKind: IdKind
}

export interface VectorsLocation {
  source: string | readonly string[]
  id: string
  vector: string
  numbers: readonly string[]
  s3?: S3Options
  signal?: AbortSignal
}

/**
 * Lists the files and checks, by their footers alone, that all have ids of one kind and vectors of one dimension.
 *
 * @throws LoadError naming file, column and row group
 */
export async function planVectors({ source, id, vector, numbers, s3, signal }: VectorsLocation): Promise<VectorsPlan> {
  signal?.throwIfAborted()
  const store = new Store(await connect(s3))
  try {
    const location = { name: 'vectors', locations: [source].flat(), partitions: {} }
    const { files } = await findFiles(location, store, signal)
    const footers = await readFooters(files, store, signal)
    const jobs: RowGroupJob[] = []
    let kind: { kind: IdKind; uri: string } | undefined
    let first: { dimension: number; uri: string } | undefined
    for (const [i, footer] of footers.entries()) {
      const { uri } = files[i]
      // A file without rows has nothing to be wrong: Spark writes one for an empty partition.
      if (filledGroups(footer).length === 0) continue
      const ids = onlyOne(footer, uri, id, 'integers, strings or UUIDs')
      const found = isId(ids.type, ids) ? idKind(ids.type) : undefined
      if (found === undefined) throw refused(uri, id, ids.type.name, 'integers, strings or UUIDs')
      kind ??= { kind: found, uri }
      if (found !== kind.kind) throw refused(uri, id, ids.type.name, `ids of one kind: ${kind.uri} has a ${kind.kind}`)
      const vectors = onlyOne(footer, uri, vector, 'a list of floats')
      for (const group of filledGroups(footer)) {
        const dimension = dimensionOf(footer, uri, vectors, group)
        first ??= { dimension, uri }
        if (dimension !== first.dimension) {
          const expected = `${first.dimension} values per row, as in ${first.uri}`
          throw refused(uri, vector, `${dimension} values per row in row group ${group}`, expected)
        }
      }
      const others = numbers.map((name) => numberColumn(footer, uri, name))
      jobs.push(...rowGroupJobs(0, files[i], footer, [ids, vectors, ...others]))
    }
    return { jobs, files, dimension: first?.dimension ?? 0, idKind: kind?.kind ?? 'integer' }
  } finally {
    await store.close()
  }
}

/** Values of the list by its footer: the leaf has one for each element, and one for a null or an empty list. */
function dimensionOf({ rowGroups }: Footer, uri: string, column: FoundColumn, group: number): number {
  const { rows, chunks } = rowGroups[group]
  const leaves = chunks.slice(...column.leaves)
  const { type } = leaves[0]?.metadata ?? {}
  const lists = listsIn(column.nodes[column.nodes.length - 1])
  if (lists !== 1 || leaves.length !== 1 || (type !== 'FLOAT' && type !== 'DOUBLE'))
    throw refused(uri, column.name, column.type.name, 'a list of floats or doubles')
  const values = Number(leaves[0].metadata.num_values)
  const dimension = values / rows
  if (Number.isInteger(dimension)) return dimension
  const found = `${values} values in the ${rows} rows of row group ${group}`
  throw refused(uri, column.name, found, 'as many in every row')
}

/** Lists within a column, one in the other. */
function listsIn({ element, children }: SchemaTree): number {
  const inner = children.reduce((sum, child) => sum + listsIn(child), 0)
  return inner + (element.repetition_type === 'REPEATED' ? 1 : 0)
}

function numberColumn(footer: Footer, uri: string, name: string): FoundColumn {
  const column = onlyOne(footer, uri, name, 'numbers')
  if (isNumber(column.type) || column.type.kind === 'null') return column
  throw refused(uri, name, column.type.name, 'numbers')
}

function onlyOne(footer: Footer, uri: string, column: string, expected: string): FoundColumn {
  const fits = findColumns(footer, column)
  if (fits.length === 1) return fits[0]
  const found = fits.length > 1 ? severalOf(fits) : `no such column (it has: ${columnNames(footer)})`
  throw refused(uri, column, found, expected)
}

function refused(uri: string, column: string, found: string, expected: string): LoadError {
  return new LoadError('schema', `${uri}: column "${column}": found ${found}, expected ${expected}.`, {
    file: uri,
    column,
  })
}
