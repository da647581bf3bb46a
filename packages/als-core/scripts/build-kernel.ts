/**
 * Compiles each kernel of `assembly/` twice, for WebAssembly SIMD and for relaxed SIMD (fused multiply-add), into
 * `src/kernel/KERNEL.wasm.ts`. The output is reproducible: rebuilding and comparing finds drift.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const folder = fileURLToPath(new URL('../', import.meta.url))
const flags =
  '--runtime stub --noAssert -O3 --converge --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536 --enable simd,threads,bulk-memory'

const entries = { solve: 'solve/kernel.ts', features: 'features/kernel.ts', dense: 'dense.ts', rank: 'rank/kernel.ts' }
for (const [kernel, entry] of Object.entries(entries)) {
  const simd = await compile(entry, flags)
  const relaxed = await compile(entry, `${flags},relaxed-simd`)
  writeFileSync(
    `${folder}src/kernel/${kernel}.wasm.ts`,
    `// Generated from assembly/${entry} by \`pnpm kernel\`; do not edit.\n` +
      `/** WebAssembly SIMD. */\nexport const simd: string =\n  '${simd}'\n` +
      `/** The same with relaxed SIMD. */\nexport const relaxedSimd: string =\n  '${relaxed}'\n`,
  )
}

async function compile(entry: string, options: string): Promise<string> {
  let bytes: Uint8Array | undefined
  const { error, stderr } = await asc.main(
    [`assembly/${entry}`, '--outFile', 'out.wasm', '--baseDir', folder, ...options.split(' ')],
    {
      writeFile: (_name: string, contents: Uint8Array | string) => {
        bytes = contents as Uint8Array
      },
    },
  )
  if (error || !bytes) throw new Error(`assembly/${entry}: ${error?.message ?? 'no output'}\n${stderr.toString()}`)
  return Buffer.from(bytes).toString('base64')
}
