/**
 * The production pipeline: Parquet in S3 or on disk, two passes, matrix, factors, model on disk, Qdrant. Configured by
 * environment variables; see the README at the root.
 */
import { describeConfiguration, readConfiguration } from './pipeline/configuration.ts'
import { interruptible } from './pipeline/interruption.ts'
import { showProgress } from './pipeline/progress.ts'
import { askAboutBestKnown } from './pipeline/questions.ts'
import { printAnswers, runPipeline } from './pipeline/run.ts'
import { Stages } from './pipeline/stages.ts'

await interruptible(async (signal) => {
  const configuration = readConfiguration(process.env)
  console.log(`${describeConfiguration(configuration).join('\n')}\n`)
  const progress = showProgress()
  const run = await runPipeline(configuration, new Stages(progress, signal), progress, signal)
  try {
    await printAnswers(askAboutBestKnown(run.releases), run, 5)
  } finally {
    await run.close()
  }
})
