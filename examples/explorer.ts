/**
 * A page to look at what a model has learned: over a saved model, or over Qdrant. Without either, the quickstart's model
 * is trained first.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readFlags } from './configuration/command-line.ts'
import { usableProcessors } from './configuration/limits.ts'
import { ConfigurationError } from './configuration/read-configuration.ts'
import { openModel } from './explorer/server/model-source.ts'
import { openQdrant } from './explorer/server/qdrant-source.ts'
import type { Source } from './explorer/server/source.ts'
import { startServer } from './explorer/server/start-server.ts'
import { interruptible } from './pipeline/interruption.ts'
import { grouped } from './text/format.ts'

const flags = {
  port: { placeholder: 'NUMBER', meaning: 'where the page is served [8080]' },
  host: { placeholder: 'ADDRESS', meaning: 'address to listen at; others than this machine can then ask [127.0.0.1]' },
  help: { meaning: 'this text' },
}

const help = `Shows what a model has learned, in a browser.

Usage: npm run explorer -- [flags]

Flags
  --port NUMBER     ${flags.port.meaning}
  --host ADDRESS    ${flags.host.meaning}

Environment variables
  OUTPUT_DIR        where the model is saved [./model; trained on the quickstart's shop when there is none]
  QDRANT_URL        where it is published: Qdrant answers, and no model is read
  QDRANT_API_KEY    the key of that server
  COLLECTION_ALIAS  the name that queries use [recommendations]
  THREADS           worker threads [the cores that the process may use]`

await interruptible(async (signal) => {
  const given = readFlags(flags, process.argv.slice(2))
  if (given.help) {
    console.log(help)
    return
  }
  const port = readPort(given.port ?? '8080')
  const source = await open(signal)
  try {
    const server = await startServer(source, { host: given.host, port })
    const [{ address, family, port: actual }] = server.addresses() as [
      { address: string; family: string; port: number },
    ]
    console.log(`${grouped(source.catalogue.length)} items, answered by ${source.name}.`)
    console.log(
      `The explorer is at http://${family === 'IPv6' ? `[${address}]` : address}:${actual}/ (Ctrl-C ends it).`,
    )
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    await server.close()
  } finally {
    await source.close()
  }
})

async function open(signal: AbortSignal): Promise<Source> {
  const { OUTPUT_DIR, QDRANT_URL, QDRANT_API_KEY: apiKey, COLLECTION_ALIAS, THREADS } = process.env
  if (QDRANT_URL) {
    if (!z.url({ protocol: /^https?$/ }).safeParse(QDRANT_URL).success)
      throw new ConfigurationError([`QDRANT_URL=${QDRANT_URL}: expected a URL such as http://localhost:6333`])
    return openQdrant({ url: QDRANT_URL, apiKey, alias: COLLECTION_ALIAS || 'recommendations', signal })
  }
  if (THREADS && !/^[1-9]\d{0,3}$/.test(THREADS))
    throw new ConfigurationError([`THREADS=${THREADS}: expected an integer from 1 to 1024`])
  const directory = OUTPUT_DIR || './model'
  if (!existsSync(join(directory, 'manifest.json'))) {
    if (OUTPUT_DIR)
      throw new ConfigurationError([`OUTPUT_DIR=${OUTPUT_DIR}: there is no model in it. Train one: npm run train`])
    await trainQuickstart(signal)
  }
  return openModel(directory, Number(THREADS) || usableProcessors())
}

/** `npm start`, in a process of its own. */
async function trainQuickstart(signal: AbortSignal): Promise<void> {
  console.log('There is no model in ./model: the one of the quickstart is trained first.\n')
  const child = spawn(process.execPath, [join(import.meta.dirname, 'quickstart.ts')], { stdio: 'inherit' })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  const [code] = await once(child, 'close')
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  if (code !== 0) throw new Error(`The quickstart ended with exit code ${code}.`)
}

function readPort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new ConfigurationError([`--port=${text}: expected an integer from 0 to 65535`])
  return Number(text)
}
