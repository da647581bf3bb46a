import { existsSync } from 'node:fs'
// Not by name: bundles of modules often begin with `import { createRequire }` of their own.
import module from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { LoadError } from '../errors.ts'

const IN_A_BUNDLE =
  'In a bundled program, bundle @seesaw/loader/worker to a file of its own, leave piscina and parquet-wasm unbundled (external), and pass workerUrl: see the README.'

/** Undefined in a CommonJS bundle. */
const here = import.meta.url as string | undefined

/** `../worker.ts` from source and under the test runner, `worker.js` when built and installed. @throws LoadError when absent */
export function findWorker(given: URL | string | undefined): string {
  if (!given && !here) {
    throw new LoadError('worker', `The worker file cannot be found from a CommonJS bundle. ${IN_A_BUNDLE}`)
  }
  const url = toUrl(given ?? new URL(`../worker${here!.slice(here!.lastIndexOf('.'))}`, here))
  if (url.protocol === 'file:' && !existsSync(url)) {
    throw new LoadError('worker', `The worker file is not at ${fileURLToPath(url)}. ${IN_A_BUNDLE}`)
  }
  return url.href
}

/** The path of the Parquet decoder. @throws LoadError when it is not installed beside the program */
export function findDecoder(): string {
  const from = here ?? pathToFileURL(process.argv[1] ?? process.cwd())
  try {
    return module.createRequire(from).resolve('parquet-wasm/esm/parquet_wasm_bg.wasm')
  } catch (error) {
    throw new LoadError(
      'worker',
      `The Parquet decoder (parquet-wasm) is not to be found. ${IN_A_BUNDLE}`,
      {},
      { cause: error },
    )
  }
}

function toUrl(place: URL | string): URL {
  if (place instanceof URL) return place
  return /^[a-z][a-z+.-]+:/i.test(place) ? new URL(place) : pathToFileURL(place)
}
