/**
 * The whole product with nothing else installed or running: invents a catalogue and its collectors, runs the pipeline of
 * production on it, and shows what the model has learned. `--users` and `--releases` scale it.
 */
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderPortrait } from './catalogue/portrait.ts'
import { askRecordShop, type ReleasePayload } from './catalogue/questions.ts'
import { writeCatalogue } from './catalogue/write-catalogue.ts'
import { readFlags } from './configuration/command-line.ts'
import { renderHelp } from './configuration/help.ts'
import {
  ConfigurationError,
  chosenSettings,
  lookalikes,
  readConfiguration,
} from './configuration/read-configuration.ts'
import type { SeesawConfig } from './configuration/schema.ts'
import { interruptible } from './pipeline/interruption.ts'
import { measureNewItems, renderNewItems } from './pipeline/measure-new-items.ts'
import { showProgress } from './pipeline/progress.ts'
import { askAboutNew } from './pipeline/questions.ts'
import { printAnswers, runPipeline } from './pipeline/run.ts'
import { Stages } from './pipeline/stages.ts'
import { terminalWidth } from './pipeline/tables.ts'
import { openWorkFolder } from './pipeline/work-folder.ts'
import recordShop from './seesaw.config.ts'
import { duration, grouped } from './text/format.ts'

/** Variables that say where a production run reads. */
const ofProduction = /^(HAVES|WANTS|RATINGS|RELEASES|S3_ENDPOINT|SAMPLE_FRAC_\w+)$/

const usage = {
  command: 'npm start -- [flags]',
  summary: 'Invents a record shop, trains on it, and shows what the model has learned. Needs nothing else.',
  flags: {
    users: { placeholder: 'COUNT', meaning: 'collectors to invent [20000]' },
    releases: { placeholder: 'COUNT', meaning: 'releases to invent [10000]' },
    help: { meaning: 'this text' },
  },
  without: ofProduction,
}

await interruptible(async (signal) => {
  const began = performance.now()
  const flags = readFlags(usage.flags, process.argv.slice(2))
  if (flags.help) {
    console.log(renderHelp(usage, configure(), 'the program', terminalWidth()))
    return
  }
  const size = {
    users: readSize('users', flags.users ?? '20000'),
    releases: readSize('releases', flags.releases ?? '10000'),
  }
  // The sources are the invented ones, whatever a production run is told.
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofProduction.test(name)))
  const work = await openWorkFolder(environment.WORK_DIR || tmpdir(), signal)
  const directory = work.path
  const config = configure(directory)
  for (const name of ['haves', 'wants', 'ratings', 'releases']) mkdirSync(join(directory, name))
  const configuration = readConfiguration(config, environment, 'the quickstart')
  for (const warning of lookalikes(config, environment)) console.error(warning)

  console.log(`An invented record shop: ${grouped(size.releases)} releases, ${grouped(size.users)} collectors.\n`)
  // Where the invented files were will be of no use.
  const settings = chosenSettings(config, configuration).filter(({ name }) => !ofProduction.test(name))
  const progress = showProgress(signal)
  const stages = new Stages(progress, signal)
  await stages.run(
    'invent',
    () =>
      writeCatalogue({
        directory,
        ...size,
        // One in a hundred is so new that nobody has it.
        unknown: Math.ceil(size.releases / 100),
        seed: configuration.seed,
        signal,
        onProgress: (done) => progress.update({ phase: 'collectors', done, total: size.users, unit: 'collectors' }),
      }),
    ({ haves, wants, ratings }) =>
      `${grouped(haves)} haves, ${grouped(wants)} wants, ${grouped(ratings)} ratings as Parquet`,
  )
  const run = await runPipeline(configuration, settings, stages, progress, signal)
  try {
    const releases = Array.from({ length: run.items.length }, (_, row) => run.items.payload(row) as ReleasePayload)
    const unknown = run.catalogue ? askAboutNew(run.catalogue, 2, 'Releases that nobody has yet') : []
    await printAnswers([...askRecordShop(releases), ...unknown], run, 8)
    // A smaller shop has too few to hold any out.
    if (run.features && run.features.rows >= 500) {
      const figures = await measureNewItems(configuration, run.loaded.matrix, run.features, stages, progress, signal)
      console.log(`\n${renderNewItems(figures)}`)
    }
    const { model, matrix, heldOut } = run.learned
    if (heldOut) {
      console.log(`\n${await renderPortrait(model, matrix, heldOut, run.items, run.payload, 10, terminalWidth())}`)
    }
  } finally {
    await run.close()
  }
  console.log(
    `\nAll of it took ${duration((performance.now() - began) / 1000)}. The model is in ${configuration.output.model}, ` +
      `the report on it is ${run.report}: open it in a browser.`,
  )
  const { model } = configuration.output
  console.log(`To look around in it: ${model === './model' ? '' : `OUTPUT_DIR=${model} `}npm run explorer`)
})

function readSize(name: string, text: string): number {
  if (!/^\d{3,8}$/.test(text))
    throw new ConfigurationError([`--${name}=${text}: expected an integer from 100 to 99999999`])
  return Number(text)
}

/** The record shop's configuration; with a folder, its sources are those of the invented catalogue there, all of it sampled. */
function configure(directory?: string): SeesawConfig {
  const place = (name: string) => (directory === undefined ? {} : { uri: join(directory, name) })
  return {
    ...recordShop,
    sources: recordShop.sources.map((source) => ({ ...source, ...place(source.name), sample: 1 })),
    items: {
      ...recordShop.items,
      ...place('releases'),
      features: ['artists', 'labels', 'genres', 'styles', 'country', 'year'],
      catalogue: 'all',
    },
    holdOut: 0.2,
    // Not the alias that a production run publishes to.
    qdrant: { alias: 'quickstart' },
  }
}
