const DIRECTORY_ENTRY = 0x02014b50
const DIRECTORY_END = 0x06054b50
const WIDE_LOCATOR = 0x07064b50

/**
 * The CRC-32 of each file in a zip archive, by its name, from the central directory (APPNOTE 6.3.10, 4.3.12 to 4.3.16).
 *
 * @throws Error when there is none
 */
export function zipChecksums(bytes: Uint8Array): Map<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let end = bytes.length - 22
  while (end >= 0 && view.getUint32(end, true) !== DIRECTORY_END) end--
  if (end < 0) throw new Error('invalid zip data')
  let at = view.getUint32(end + 16, true)
  if (at === 0xffff_ffff && view.getUint32(end - 20, true) === WIDE_LOCATOR) {
    const wideEnd = Number(view.getBigUint64(end - 12, true))
    at = Number(view.getBigUint64(wideEnd + 48, true))
  }
  const checksums = new Map<string, number>()
  while (at + 46 <= end && view.getUint32(at, true) === DIRECTORY_ENTRY) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => view.getUint16(at + field, true))
    // A copy: TextDecoder takes no shared memory.
    const name = new TextDecoder().decode(bytes.slice(at + 46, at + 46 + nameLength))
    checksums.set(name, view.getUint32(at + 16, true))
    at += 46 + nameLength + extraLength + commentLength
  }
  return checksums
}
