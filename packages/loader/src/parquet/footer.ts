import { type ColumnMetaData, type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from 'hyparquet'
import { LoadError } from '../errors.ts'
import type { ByteSource, StoredFile } from '../storage/byte-source.ts'
import { columnType, integerWidth } from './column-type.ts'

/** What the footer of a Parquet file says. */
export interface Footer {
  readonly rows: number
  /** Top-level columns, each with what lies below it. */
  readonly columns: readonly SchemaTree[]
  readonly rowGroups: readonly RowGroup[]
}

export interface RowGroup {
  readonly rows: number
  /** By leaf of the schema, in its order: names may repeat. */
  readonly chunks: readonly ColumnChunk[]
}

/** All pages of one leaf of the schema in one row group. */
export interface ColumnChunk {
  readonly start: number
  readonly end: number
  readonly metadata: ColumnMetaData
  /** Smallest and largest integer, where the writer stored them. */
  readonly min?: number
  readonly max?: number
  /** True where the writer says that every value is null. */
  readonly onlyNulls: boolean
  readonly encrypted: boolean
}

const MAGIC = 0x31524150
/** "PARE": the footer is encrypted. */
const MAGIC_ENCRYPTED = 0x45524150
const FIRST_READ = 64 << 10

/** Reads the footer with one or two ranged reads. */
export async function readFooter(source: ByteSource, file: StoredFile): Promise<Footer> {
  const size = source.byteLength
  const place = { file: file.uri }
  if (size < 12) throw new LoadError('truncated', `${file.uri} has ${size} bytes: too short for a Parquet file.`, place)
  const start = Math.max(0, size - FIRST_READ)
  let tail = new Uint8Array(size - start)
  await source.read(start, tail)
  const view = new DataView(tail.buffer)
  const magic = view.getUint32(tail.length - 4, true)
  if (magic === MAGIC_ENCRYPTED) throw encrypted(file.uri, 'its footer is')
  if (magic !== MAGIC) {
    throw new LoadError(
      'truncated',
      `${file.uri} does not end as a Parquet file does ("PAR1"): it is truncated or something else.`,
      place,
    )
  }
  const length = view.getUint32(tail.length - 8, true) + 8
  if (length > size) {
    throw new LoadError('corrupt', `${file.uri}: the footer claims ${length} bytes, the file has ${size}.`, place)
  }
  if (length > tail.length) {
    tail = new Uint8Array(length)
    await source.read(size - length, tail)
  }
  let metadata: FileMetaData
  try {
    metadata = parquetMetadata(tail.subarray(tail.length - length), { geoparquet: false })
  } catch (error) {
    throw new LoadError('corrupt', `${file.uri}: the footer cannot be read: ${(error as Error).message}`, place)
  }
  return describe(metadata, file, size)
}

function describe(metadata: FileMetaData, file: StoredFile, size: number): Footer {
  const columns = parquetSchema(metadata).children
  const leaves = metadata.schema.filter((element) => !element.num_children && element.type !== undefined)
  const rowGroups = metadata.row_groups.map((group, index) => {
    const rows = Number(group.num_rows)
    // A group without rows has nothing to read, and writers put anything for the places of its pages.
    if (rows === 0) return { rows, chunks: [] }
    const chunks = group.columns.map(({ meta_data: chunk, crypto_metadata }, leaf): ColumnChunk => {
      const column = leaves[leaf]?.name
      const where = { file: file.uri, column, rowGroup: index }
      if (chunk === undefined) {
        throw new LoadError(
          'corrupt',
          `${file.uri}: row group ${index} does not say where column "${column}" lies.`,
          where,
        )
      }
      const data = Number(chunk.data_page_offset)
      const start = Math.min(data, Number(chunk.dictionary_page_offset || data))
      const end = start + Number(chunk.total_compressed_size)
      if (end > size || start < 4) {
        throw new LoadError(
          'truncated',
          `${file.uri}: row group ${index}, column "${column}" ends at byte ${end}, the file at byte ${size}.`,
          where,
        )
      }
      const { min, max, min_value, max_value, null_count } = chunk.statistics ?? {}
      // The deprecated pair is ordered as signed integers, whatever the type.
      const signed = columnType(leaves[leaf]).kind === 'integer' && !integerWidth(leaves[leaf])?.startsWith('U')
      return {
        start,
        end,
        metadata: chunk,
        min: wholeNumber(min_value ?? (signed ? min : undefined)),
        max: wholeNumber(max_value ?? (signed ? max : undefined)),
        onlyNulls: null_count !== undefined && null_count === chunk.num_values,
        encrypted: crypto_metadata !== undefined,
      }
    })
    return { rows, chunks }
  })
  // Some writers leave the file's own number of rows at 0.
  return { rows: rowGroups.reduce((sum, { rows }) => sum + rows, 0), columns, rowGroups }
}

/** Parquet's modular encryption needs keys of a key server; `what` is encrypted. */
export function encrypted(uri: string, what: string): LoadError {
  return new LoadError(
    'encrypted',
    `${uri} is encrypted: ${what} (Parquet modular encryption, which is not supported). Write it without encryption_properties.`,
    { file: uri },
  )
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : undefined
}
