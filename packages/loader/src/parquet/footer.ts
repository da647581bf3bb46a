import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaElement } from 'hyparquet'
import { LoadError } from '../errors.ts'
import type { ByteSource, StoredFile } from '../storage/byte-source.ts'

/** The part of a Parquet footer that planning needs. */
export interface Footer {
  readonly rows: number
  readonly columns: ReadonlyMap<string, ColumnType>
  readonly rowGroups: readonly RowGroup[]
  /** The end of the file from its footer, or from its page indexes, on: what the decoder opens the file with. */
  readonly bytes: Uint8Array<SharedArrayBuffer>
}

/** `kind` says how a column can be read: whole numbers, numbers, strings, moments in time, or anything else. */
export interface ColumnType {
  readonly kind: 'integer' | 'float' | 'string' | 'time' | 'other'
  /** As a reader would call it: int32, uint64, utf8, timestamp(us), list ... */
  readonly name: string
}

export interface RowGroup {
  readonly rows: number
  readonly chunks: ReadonlyMap<string, ColumnChunk>
}

/** All pages of one top-level column in one row group (of all leaves below it, if it is nested). */
export interface ColumnChunk {
  readonly start: number
  readonly end: number
  readonly uncompressedBytes: number
  /** Smallest and largest whole number, where the writer stored them. */
  readonly min?: number
  readonly max?: number
}

const MAGIC = 0x31524150
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
  if (view.getUint32(tail.length - 4, true) !== MAGIC) {
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
    metadata = parquetMetadata(tail.slice(tail.length - length).buffer, { geoparquet: false })
  } catch (error) {
    throw new LoadError('corrupt', `${file.uri}: the footer cannot be read: ${(error as Error).message}`, place)
  }
  const described = describe(metadata, file, size)
  // The decoder reads page indexes when it opens a file; they lie just before the footer.
  const from = Math.min(size - length, indexStart(metadata))
  const missing = Math.max(0, size - tail.length - from)
  const bytes = new Uint8Array(new SharedArrayBuffer(size - from))
  if (missing > 0) {
    const before = new Uint8Array(missing)
    await source.read(from, before)
    bytes.set(before)
  }
  bytes.set(tail.subarray(Math.max(0, tail.length - bytes.length)), missing)
  return { ...described, bytes }
}

function indexStart(metadata: FileMetaData): number {
  let start = Number.POSITIVE_INFINITY
  for (const group of metadata.row_groups) {
    for (const { column_index_offset, offset_index_offset } of group.columns) {
      start = Math.min(start, Number(column_index_offset ?? start), Number(offset_index_offset ?? start))
    }
  }
  return start
}

function describe(metadata: FileMetaData, file: StoredFile, size: number): Omit<Footer, 'bytes'> {
  const fields = parquetSchema(metadata).children
  const columns = new Map(fields.map((field) => [field.element.name, columnType(field.element)]))
  const rowGroups = metadata.row_groups.map((group, index) => {
    const chunks = new Map<string, ColumnChunk>()
    for (const { meta_data: chunk } of group.columns) {
      if (chunk === undefined) continue
      const first = Number(chunk.dictionary_page_offset || chunk.data_page_offset)
      const start = Math.min(first, Number(chunk.data_page_offset))
      const end = start + Number(chunk.total_compressed_size)
      const column = chunk.path_in_schema[0]
      if (end > size || start < 4) {
        throw new LoadError(
          'truncated',
          `${file.uri}: row group ${index}, column "${column}" ends at byte ${end}, the file at byte ${size}.`,
          { file: file.uri, column, rowGroup: index },
        )
      }
      const before = chunks.get(column)
      const statistics = chunk.statistics
      chunks.set(column, {
        start: Math.min(start, before?.start ?? start),
        end: Math.max(end, before?.end ?? end),
        uncompressedBytes: Number(chunk.total_uncompressed_size) + (before?.uncompressedBytes ?? 0),
        min: wholeNumber(statistics?.min_value ?? statistics?.min),
        max: wholeNumber(statistics?.max_value ?? statistics?.max),
      })
    }
    return { rows: Number(group.num_rows), chunks }
  })
  return { rows: Number(metadata.num_rows), columns, rowGroups }
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : undefined
}

function columnType(element: SchemaElement): ColumnType {
  const { type, converted_type: converted, logical_type: logical, num_children: children } = element
  if (children || type === undefined)
    return { kind: 'other', name: (logical?.type ?? converted ?? 'group').toLowerCase() }
  if (element.repetition_type === 'REPEATED') return { kind: 'other', name: 'list' }
  if (logical?.type === 'TIMESTAMP') return { kind: 'time', name: `timestamp(${logical.unit.toLowerCase()})` }
  if (logical?.type === 'DATE' || converted === 'DATE') return { kind: 'time', name: 'date' }
  if (converted?.startsWith('TIMESTAMP')) return { kind: 'time', name: converted.toLowerCase() }
  if (type === 'INT96') return { kind: 'time', name: 'int96 timestamp' }
  if (type === 'FLOAT' || type === 'DOUBLE') return { kind: 'float', name: type.toLowerCase() }
  if (type === 'INT32' || type === 'INT64') {
    if (logical && logical.type !== 'INTEGER') return { kind: 'other', name: logical.type.toLowerCase() }
    if (converted && !/^U?INT_/.test(converted)) return { kind: 'other', name: converted.toLowerCase() }
    return { kind: 'integer', name: converted?.toLowerCase().replace('_', '') ?? type.toLowerCase() }
  }
  if (type === 'BYTE_ARRAY' && (!logical || logical.type === 'STRING' || logical.type === 'ENUM')) {
    // Some writers leave plain byte arrays unmarked; the decoder shows them as binary, and the bytes serve as ids.
    return { kind: 'string', name: converted || logical ? 'utf8' : 'binary' }
  }
  return { kind: 'other', name: (logical?.type ?? type).toLowerCase() }
}
