/**
 * Compiles `assembly/kernel.ts` into `src/kernel/kernel.wasm.ts`. The output is reproducible: rebuilding and comparing finds
 * drift.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const folder = fileURLToPath(new URL('../', import.meta.url))
const flags =
  '--runtime stub --noAssert -O3 --converge --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536 --enable simd,threads,bulk-memory'

let bytes: Uint8Array | undefined
const { error, stderr } = await asc.main(
  ['assembly/kernel.ts', '--outFile', 'out.wasm', '--baseDir', folder, ...flags.split(' ')],
  {
    writeFile: (_name: string, contents: Uint8Array | string) => {
      bytes = contents as Uint8Array
    },
  },
)
if (error || !bytes) throw new Error(`assembly/kernel.ts: ${error?.message ?? 'no output'}\n${stderr.toString()}`)
writeFileSync(
  `${folder}src/kernel/kernel.wasm.ts`,
  '// Generated from assembly/kernel.ts by `pnpm kernel`; do not edit.\n' +
    `export const kernelBytes: string =\n  '${Buffer.from(bytes).toString('base64')}'\n`,
)
