import pMap from 'p-map'
import { type Footer, readFooter } from '../parquet/footer.ts'
import type { StoredFile } from '../storage/byte-source.ts'
import type { Store } from '../storage/store.ts'

const FOOTERS_IN_FLIGHT = 16

/** The footers of files, in their order; `onFooter` is called after each. */
export async function readFooters(
  files: readonly StoredFile[],
  store: Store,
  signal?: AbortSignal,
  onFooter: () => void = () => {},
): Promise<Footer[]> {
  const read = async (file: StoredFile) => {
    const source = await store.open(file, store.counters, signal)
    try {
      return await readFooter(source, file)
    } finally {
      await source.close()
      onFooter()
    }
  }
  return pMap(files, read, { concurrency: FOOTERS_IN_FLIGHT, signal })
}
