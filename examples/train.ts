/**
 * The production pipeline: Parquet in S3 or on disk, two passes, matrix, factors, model on disk, Qdrant. Configured by
 * a module and environment variables; `--help` lists them.
 */
import { readFlags } from './configuration/command-line.ts'
import { renderHelp } from './configuration/help.ts'
import { loadConfig } from './configuration/load-config.ts'
import { chosenSettings, describeSettings, lookalikes, readConfiguration } from './configuration/read-configuration.ts'
import { check } from './pipeline/check.ts'
import { interruptible } from './pipeline/interruption.ts'
import { showProgress } from './pipeline/progress.ts'
import { askAboutBestKnown } from './pipeline/questions.ts'
import { renderPlan } from './pipeline/render-plan.ts'
import { printAnswers, runPipeline } from './pipeline/run.ts'
import { Stages } from './pipeline/stages.ts'
import { terminalWidth } from './pipeline/tables.ts'

const usage = {
  command: 'npm run train -- [flags]',
  summary: 'Trains a model from Parquet on disk or in S3, saves it, and publishes its items to Qdrant.',
  flags: {
    config: {
      placeholder: 'FILE',
      meaning: 'configuration module [seesaw.config.ts here, else examples/seesaw.config.ts]',
    },
    check: { meaning: 'print the plan (files, rows, memory, disk, time) and stop' },
    help: { meaning: 'this text' },
  },
}

await interruptible(async (signal) => {
  const flags = readFlags(usage.flags, process.argv.slice(2))
  const { config, place } = await loadConfig(flags.config)
  if (flags.help) {
    console.log(renderHelp(usage, config, place, terminalWidth()))
    return
  }
  const configuration = readConfiguration(config, process.env, place)
  for (const warning of lookalikes(config, process.env)) console.error(warning)
  const settings = chosenSettings(config, configuration)
  console.log(`${describeSettings(settings).join('\n')}\n`)
  const progress = showProgress(signal)
  const stages = new Stages(progress, signal)
  if (flags.check) {
    console.log(renderPlan(configuration, await check(configuration, stages, signal)))
    return
  }
  const run = await runPipeline(configuration, settings, stages, progress, signal)
  try {
    await printAnswers(askAboutBestKnown(run.items), run, 5)
  } finally {
    await run.close()
  }
  console.log(`\nThe report of this run is ${run.report}.`)
})
