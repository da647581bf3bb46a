import { crc32 } from 'node:zlib'
import { ByteWriter } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { expect, test } from 'vitest'
import { checkPages } from '../src/parquet/page-checksums.ts'

/** Two pages one after another, as a column chunk holds them. */
function pages(withChecksums: boolean): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter()
  for (const length of [300, 5000]) {
    const body = Uint8Array.from({ length }, (_, i) => i * 7)
    writePageHeader(writer, {
      type: 'DATA_PAGE',
      uncompressed_page_size: length,
      compressed_page_size: length,
      crc: withChecksums ? crc32(body) | 0 : undefined,
      data_page_header: {
        num_values: length,
        encoding: 'PLAIN',
        definition_level_encoding: 'RLE',
        repetition_level_encoding: 'RLE',
      },
    })
    writer.appendBytes(body)
  }
  return new Uint8Array(writer.getBuffer())
}

test('a damaged page is found by its checksum, wherever the damage is', () => {
  const bytes = pages(true)
  expect(() => checkPages(bytes)).not.toThrow()
  for (const at of [100, 2000, bytes.length - 1]) {
    const damaged = bytes.slice()
    damaged[at] ^= 1
    expect(() => checkPages(damaged)).toThrow('the checksum of a page does not match its bytes')
  }
})

test('pages without checksums, and bytes that are no pages, are left to the decoder', () => {
  const bytes = pages(false)
  bytes[bytes.length - 1] ^= 1
  expect(() => checkPages(bytes)).not.toThrow()
  expect(() => checkPages(new Uint8Array(100).fill(0xff))).not.toThrow()
})
