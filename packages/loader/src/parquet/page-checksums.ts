import { crc32 } from 'node:zlib'
import { parquetHeader } from 'hyparquet/src/column.js'
import { LoadError } from '../errors.ts'

/**
 * Compares the pages of adjoining column chunks with their checksums, where the writer stored any (CRC-32 of the page as
 * stored; parquet-format, "Checksumming"). The decoder does not, and some damage, in zstd pages for one, decodes to wrong
 * values without an error.
 */
export function checkPages(bytes: Uint8Array<ArrayBuffer>): void {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
  while (reader.offset < bytes.length) {
    const header = readHeader(reader)
    const end = reader.offset + (header?.compressed_page_size ?? Number.NaN)
    // A layout that cannot be followed, or no checksums: left to the decoder.
    if (header?.crc === undefined || !(end <= bytes.length)) return
    if (crc32(bytes.subarray(reader.offset, end)) !== header.crc >>> 0) {
      throw new LoadError(
        'corrupt',
        'the checksum of a page does not match its bytes. The file is damaged; write it again.',
      )
    }
    reader.offset = end
  }
}

function readHeader(reader: { view: DataView; offset: number }): ReturnType<typeof parquetHeader> | undefined {
  try {
    return parquetHeader(reader)
  } catch {
    return undefined
  }
}
