/**
 * The whole product with nothing else installed or running: invents a catalogue and its collectors, runs the pipeline of
 * production on it, and shows what the model has learned. `--users` and `--releases` scale it.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeCatalogue } from './catalogue/write-catalogue.ts'
import { type Configuration, ConfigurationError, readConfiguration } from './pipeline/configuration.ts'
import { duration, grouped } from './pipeline/format.ts'
import { interruptible } from './pipeline/interruption.ts'
import { renderPortrait } from './pipeline/portrait.ts'
import { showProgress } from './pipeline/progress.ts'
import { ask } from './pipeline/questions.ts'
import { printAnswers, runPipeline } from './pipeline/run.ts'
import { Stages } from './pipeline/stages.ts'
import { terminalWidth } from './pipeline/tables.ts'

const sources = ['haves', 'wants', 'ratings', 'releases']

await interruptible(async (signal) => {
  const began = performance.now()
  const size = readSize()
  const directory = mkdtempSync(join(tmpdir(), 'seesaw-quickstart-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  const configuration = configure(directory)

  console.log(`An invented record shop: ${grouped(size.releases)} releases, ${grouped(size.users)} collectors.\n`)
  const progress = showProgress()
  const stages = new Stages(progress, signal)
  await stages.run(
    'invent',
    () =>
      writeCatalogue({
        directory,
        ...size,
        seed: configuration.SEED,
        signal,
        onProgress: (done) => progress.update({ phase: 'collectors', done, total: size.users, unit: 'collectors' }),
      }),
    ({ haves, wants, ratings }) =>
      `${grouped(haves)} haves, ${grouped(wants)} wants, ${grouped(ratings)} ratings as Parquet`,
  )
  const run = await runPipeline(configuration, stages, progress, signal)
  try {
    const releases = Array.from({ length: run.releases.length }, (_, row) => run.releases.payload(row))
    await printAnswers(ask(releases), run, 8)
    const { model, matrix, heldOut } = run.learned
    if (heldOut) console.log(`\n${await renderPortrait(model, matrix, heldOut, run.releases, 10, terminalWidth())}`)
  } finally {
    await run.close()
  }
  console.log(
    `\nAll of it took ${duration((performance.now() - began) / 1000)}. The model is in ${configuration.OUTPUT_DIR}.`,
  )
})

function readSize(): { users: number; releases: number } {
  const { values } = parseArgs({
    options: { users: { type: 'string', default: '20000' }, releases: { type: 'string', default: '10000' } },
  })
  for (const [name, text] of Object.entries(values)) {
    if (!/^\d{3,8}$/.test(text)) throw new ConfigurationError([`--${name}=${text}: expected a whole number from 100`])
  }
  return { users: Number(values.users), releases: Number(values.releases) }
}

/** The pipeline's configuration, with the invented catalogue as its sources and all of it sampled. */
function configure(directory: string): Configuration {
  const locations: Record<string, string> = {}
  for (const source of sources) {
    const folder = join(directory, source)
    mkdirSync(folder)
    locations[source.toUpperCase()] = folder
  }
  return readConfiguration(
    { ...process.env, ...locations, S3_ENDPOINT: undefined },
    {
      SAMPLE_FRAC_HAVES: '1',
      SAMPLE_FRAC_WANTS: '1',
      SAMPLE_FRAC_RATINGS: '1',
      HOLD_OUT: '0.2',
      // Not the alias that a production run publishes to.
      COLLECTION_ALIAS: 'quickstart',
    },
  )
}
