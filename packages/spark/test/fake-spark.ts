import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { TrainOnSparkOptions } from '../src/index.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A spark-submit that is a shell script, and options that call it. `$0.d` is a folder for what it has to tell. */
export function fakeSpark(
  script: string,
  more: Partial<TrainOnSparkOptions> = {},
): TrainOnSparkOptions & { folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'fake-spark-'))
  folders.push(folder)
  const submit = join(folder, 'spark-submit')
  writeFileSync(submit, `#!/bin/sh\ncd "${folder}"\n${script}\n`)
  chmodSync(submit, 0o755)
  return {
    sources: [{ name: 'haves', uri: 'haves', confidence: 3 }],
    directory: join(folder, 'out'),
    ...more,
    spark: { environment: { PATH: process.env.PATH }, submit, ...more.spark },
    folder,
  } as TrainOnSparkOptions & { folder: string }
}

/** A line of the job, as the shell prints it. */
export function says(event: string, fields: Record<string, unknown> = {}): string {
  return `cat <<'END'\n@seesaw ${JSON.stringify({ event, ...fields })}\nEND\n`
}
