import type { DataType } from 'apache-arrow'
import type { SchemaElement } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { integerWidth } from './column-type.ts'
import type { RequestedColumn, RowGroupRequest } from './row-group-request.ts'

const MAGIC = 0x31524150

/**
 * The footer of the file that the decoder is shown: the one row group with the columns wanted, under the names `0`, `1` ...
 * and nothing else. So each row group opens in the same time, however many there are, and what no one asked for (names that
 * occur twice, types the decoder refuses, metadata that is not by the standard) does no harm. Columns come as their Parquet
 * types say, as in DuckDB or Spark; a stored Arrow schema is left out.
 */
export async function singleGroupFooter({ rows, columns }: RowGroupRequest): Promise<Uint8Array> {
  const schema: SchemaElement[] = [{ name: 'schema', num_children: columns.length }]
  const chunks = columns.flatMap((column, at) => {
    const name = String(at)
    for (const [depth, element] of column.schema.entries()) {
      schema.push({ ...plain(element), name: depth === 0 ? name : element.name })
    }
    return column.chunks.map((chunk) => ({
      file_offset: 0n,
      meta_data: {
        type: chunk.type,
        encodings: chunk.encodings,
        path_in_schema: [name, ...chunk.path_in_schema.slice(1)],
        codec: chunk.codec,
        num_values: chunk.num_values,
        total_uncompressed_size: chunk.total_uncompressed_size,
        total_compressed_size: chunk.total_compressed_size,
        data_page_offset: chunk.data_page_offset,
        // 0 stands for none: fastparquet's way.
        dictionary_page_offset: chunk.dictionary_page_offset || undefined,
      },
    }))
  })
  const count = BigInt(rows)
  const writer = new ByteWriter()
  writeMetadata(writer, {
    version: 2,
    schema,
    num_rows: count,
    row_groups: [{ columns: chunks, total_byte_size: 0n, num_rows: count }],
    key_value_metadata: await typeHints(columns),
    metadata_length: 0,
  })
  writer.appendUint32(MAGIC)
  return writer.getBytes()
}

/** Without the number of the field, which the decoder needs not, and with the older annotation of widths, which it reads. */
function plain({ field_id: _, ...element }: SchemaElement): SchemaElement {
  const width = integerWidth(element)
  if (width === undefined) return element
  return { ...element, converted_type: width as SchemaElement['converted_type'], logical_type: undefined }
}

/**
 * An INT96 becomes nanoseconds in the decoder, which end in 2262: years beyond would come out as others. An Arrow schema that
 * says microseconds, where pyarrow and others store theirs, makes it read those.
 */
async function typeHints(columns: readonly RequestedColumn[]): Promise<{ key: string; value: string }[] | undefined> {
  if (!columns.some(({ schema }) => schema.some(({ type }) => type === 'INT96'))) return undefined
  const arrow = await import('apache-arrow')
  // A type that cannot be that of the column hints at nothing.
  const none = new arrow.Null()
  const typeOf = (elements: SchemaElement[]): DataType | undefined => {
    const element = elements.shift()!
    if (element.type === 'INT96') return new arrow.TimestampMicrosecond()
    if (!element.num_children) return element.repetition_type === 'REPEATED' ? undefined : none
    const isList = element.logical_type?.type === 'LIST' || element.converted_type === 'LIST'
    // Only structs and lists of three levels: with others, times are left to the decoder.
    if (isList) {
      const repeated = elements.shift()
      if (repeated?.repetition_type !== 'REPEATED' || repeated.num_children !== 1) return undefined
      const item = typeOf(elements)
      return item && new arrow.List(new arrow.Field('item', item, true))
    }
    if (element.logical_type || element.converted_type || element.repetition_type === 'REPEATED') return undefined
    const fields = Array.from({ length: element.num_children }, () => {
      const [{ name }] = elements
      const type = typeOf(elements)
      return type && new arrow.Field(name, type, true)
    })
    return fields.includes(undefined) ? undefined : new arrow.Struct(fields as never)
  }
  const fields = columns.map(({ schema }, at) => {
    const type = typeOf([...schema])
    return type && new arrow.Field(String(at), type, true)
  })
  if (fields.includes(undefined)) return undefined
  const message = arrow.tableToIPC(new arrow.Table(new arrow.Schema(fields as never)), 'stream')
  return [{ key: 'ARROW:schema', value: Buffer.from(message).toString('base64') }]
}
