/**
 * Serves a saved model over HTTP: recommendations by user, similar items, blends, and lists for histories that are posted.
 * `--help` lists the variables; docs/serving-over-http.md the routes.
 */
import { setTimeout } from 'node:timers/promises'
import { Recommender } from '@seesaw/als-core'
import { readFlags } from './configuration/command-line.ts'
import { type Interruption, interruptible } from './pipeline/interruption.ts'
import { createServer } from './server/create-server.ts'
import { listen } from './server/listen.ts'
import { describeSettings, readSettings } from './server/read-settings.ts'
import { watchModel } from './server/watch-model.ts'

await interruptible(async (signal) => {
  const flags = readFlags({ help: { meaning: 'this text' } }, process.argv.slice(2))
  if (flags.help) {
    console.log(
      `Serves the model in OUTPUT_DIR over HTTP.\n\nUsage: npm run serve\n\nVariables [defaults]\n${describeSettings()}`,
    )
    return
  }
  const settings = readSettings(process.env)
  const { OUTPUT_DIR: directory, THREADS: threads, RELOAD_SECONDS: everySeconds } = settings
  await using recommender = await Recommender.open(directory, { threads })
  await recommender.prepare()
  const logger = { level: settings.LOG_LEVEL }
  const { app, metrics, drain } = createServer(recommender, { logger, maxInFlight: settings.MAX_IN_FLIGHT })
  const reload = async () => {
    try {
      await recommender.replace(directory)
      metrics.reloads.inc({ result: 'done' })
      const { users, items } = recommender.model
      app.log.info({ users, items }, 'another model answers')
      warnOfNoInteractions()
    } catch (error) {
      metrics.reloads.inc({ result: 'failed' })
      app.log.error(error, 'the new model could not be opened; the one before goes on answering')
    }
  }
  const warnOfNoInteractions = () => {
    if (recommender.model.interactions) return
    app.log.warn(
      'the model was saved without interactions: lists hold what users have, and nothing is explained. Save it with saveModel(model, directory, { interactions })',
    )
  }
  warnOfNoInteractions()
  process.on('SIGHUP', reload)
  if (everySeconds > 0) void watchModel(directory, everySeconds, signal, reload)
  await listen(app, settings)
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  drain()
  // Who balances the load sees `/ready` before the port closes. Nobody does behind Ctrl-C.
  if ((signal.reason as Interruption).exitCode === 143) await setTimeout(1000 * settings.DRAIN_SECONDS)
  await app.close()
})
