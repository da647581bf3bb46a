import { createReadStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inOwnDirectory } from '@seesaw/als-core'
import type { ItemStore } from './item-store.ts'
import type { ItemPayload } from './payload.ts'

/** Beside a model: what is known of its items, a payload per line, as JSON. */
export const CATALOGUE = 'catalogue.jsonl'
const DRAFT = 'catalogue.draft'

/** Bytes that are written at once. */
const PIECE = 1 << 20

/** Keeps the payloads beside the model in `directory`, for programs that show its items. The file is there whole, or not at all. */
export async function saveCatalogue(directory: string, items: ItemStore, signal: AbortSignal): Promise<void> {
  await inOwnDirectory(directory, async () => {
    const draft = join(directory, DRAFT)
    try {
      const file = await open(draft, 'w')
      try {
        for (const piece of linesOf(items)) {
          signal.throwIfAborted()
          await file.writeFile(piece)
        }
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, join(directory, CATALOGUE))
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
  })
}

/** Removes the payloads of an earlier run, which are not those of a model without a catalogue. */
export async function removeCatalogue(directory: string): Promise<void> {
  await rm(join(directory, CATALOGUE), { force: true })
}

/** The payloads beside a model, in the order of its rows; none where the model was saved without a catalogue. */
export async function* readCatalogue(directory: string): AsyncGenerator<ItemPayload> {
  const path = join(directory, CATALOGUE)
  if (!existsSync(path)) return
  let number = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    let payload: ItemPayload
    try {
      payload = JSON.parse(line) as ItemPayload
    } catch (error) {
      throw new Error(`${path}, line ${number} is not JSON (${(error as Error).message}). Run the training again.`)
    }
    yield payload
  }
}

function* linesOf(items: ItemStore): Generator<string> {
  let piece = ''
  for (let row = 0; row < items.length; row++) {
    piece += `${JSON.stringify(items.payload(row))}\n`
    if (piece.length < PIECE) continue
    yield piece
    piece = ''
  }
  yield piece
}
