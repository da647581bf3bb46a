import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { unzipSync, Zip, ZipPassThrough } from 'fflate'
import { sharedUint8 } from '../pool/shared-arrays.ts'
import { ModelFormatError } from './manifest.ts'
import { type NpyArray, readNpy, writeNpy } from './npy.ts'
import { namePlace, readInto } from './replace-files.ts'
import { zipChecksums } from './zip-checksums.ts'

/** A zip file without the 64-bit extension. */
const ZIP_LIMIT = 2 ** 32 - 2 ** 20

/**
 * Reads the arrays of an .npz file (NumPy's `savez`, compressed or not) by their names.
 *
 * @param expected what the file should be, for messages
 * @throws ModelFormatError when it cannot be read, naming the array
 */
export async function readNpz(path: string, expected: string): Promise<Map<string, NpyArray>> {
  const bytes = sharedUint8((await stat(path)).size)
  await readInto(path, [bytes])
  let name = ''
  try {
    const files = Object.entries(unzipSync(bytes, { filter: (file) => file.name.endsWith('.npy') }))
    const checksums = zipChecksums(bytes)
    return new Map(
      files.map(([file, content]) => {
        name = file
        // fflate does not look at them: a bit that has flipped on a disk would be a factor.
        if (crc32(content) !== checksums.get(file)) throw new Error('its bytes have another checksum than when written')
        return [file.slice(0, -4), readNpy(content)]
      }),
    )
  } catch (error) {
    throw new ModelFormatError(
      `${path}${name && `: ${name}`} cannot be read (${(error as Error).message}): expected ${expected}.`,
    )
  }
}

/**
 * Writes arrays as an .npz file, which appears under its name when it is complete.
 *
 * @throws RangeError when it would be larger than 4 GiB, the end of the zip format
 */
export async function writeNpz(path: string, arrays: Readonly<Record<string, NpyArray>>): Promise<void> {
  const bytes = Object.values(arrays).reduce(
    (sum, { values }) => sum + ('byteLength' in values ? values.byteLength : 0),
    0,
  )
  if (bytes > ZIP_LIMIT) {
    throw new RangeError(`The arrays take ${bytes} bytes, and an .npz file ends at 4 GiB: use saveModel.`)
  }
  const draft = `${path}.${randomUUID().slice(0, 8)}`
  try {
    await writeArrays(draft, arrays)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw namePlace(error, path)
  }
}

async function writeArrays(path: string, arrays: Readonly<Record<string, NpyArray>>): Promise<void> {
  const file = await open(path, 'w')
  try {
    const chunks: Uint8Array[] = []
    const zip = new Zip((error, chunk) => {
      if (error) throw error
      chunks.push(chunk)
    })
    const drain = async (): Promise<void> => {
      for (const chunk of chunks.splice(0)) await file.writeFile(chunk)
    }
    for (const [name, array] of Object.entries(arrays)) {
      // Stored, as np.savez does: factors do not compress.
      const entry = new ZipPassThrough(`${name}.npy`)
      zip.add(entry)
      const [header, data] = writeNpy(array)
      entry.push(header)
      for (let at = 0; at < data.length; at += 2 ** 24) {
        entry.push(data.subarray(at, at + 2 ** 24))
        await drain()
      }
      entry.push(new Uint8Array(0), true)
    }
    zip.end()
    await drain()
    await file.sync()
  } finally {
    await file.close()
  }
}
