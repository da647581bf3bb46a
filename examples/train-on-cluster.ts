/**
 * The production pipeline where no single machine holds it: the same variables, the same Parquet and the same collection as
 * train.ts, trained by Apache Spark. `--help` lists what can be set.
 */
import { runOnCluster } from './cluster/run-on-cluster.ts'
import { clusterVariables, describeCluster, forCluster, readClusterSettings } from './cluster/settings.ts'
import { readFlags } from './configuration/command-line.ts'
import { renderHelp } from './configuration/help.ts'
import { loadConfig } from './configuration/load-config.ts'
import {
  ConfigurationError,
  chosenSettings,
  describeSettings,
  lookalikes,
  readConfiguration,
} from './configuration/read-configuration.ts'
import { interruptible } from './pipeline/interruption.ts'
import { showProgress } from './pipeline/progress.ts'
import { Stages } from './pipeline/stages.ts'
import { terminalWidth } from './pipeline/tables.ts'

/** Settings of train.ts without a meaning here: the model stays in WORK_DIR, and MLlib has one objective and no initial model. */
const without =
  /^(OUTPUT_DIR|CHECKPOINT_DIR|INITIAL_MODEL|WORK_DIR|REPORT_USERS|MEMORY_LIMIT|OBJECTIVE|UNOBSERVED_WEIGHT|POPULARITY_EXPONENT)$/

const usage = {
  command: 'npm run train:cluster -- [flags]',
  summary:
    'Trains on Apache Spark what is too large for one machine, and publishes its items to Qdrant as a stream. ' +
    'See docs/when-to-leave-one-machine.md.',
  flags: {
    config: {
      placeholder: 'FILE',
      meaning: 'configuration module [seesaw.config.ts here, else examples/seesaw.config.ts]',
    },
    help: { meaning: 'this text' },
  },
  without,
  own: { group: 'Spark', variables: clusterVariables },
}

await interruptible(async (signal) => {
  const flags = readFlags(usage.flags, process.argv.slice(2))
  const loaded = await loadConfig(flags.config)
  const config = forCluster(loaded.config)
  if (flags.help) {
    console.log(renderHelp(usage, config, loaded.place, terminalWidth()))
    return
  }
  // WORK_DIR is Spark's here; temporary files of this process go to the system's folder for them.
  const environment = { ...process.env, WORK_DIR: undefined }
  const problems: string[] = []
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      problems.push(...error.problems)
      return undefined
    }
  }
  const configuration = attempt(() => readConfiguration(config, environment, loaded.place))
  const cluster = attempt(() => readClusterSettings(process.env))
  if (configuration === undefined || cluster === undefined) throw new ConfigurationError(problems)
  for (const warning of lookalikes(config, environment, Object.keys(clusterVariables))) console.error(warning)
  const settings = describeSettings(chosenSettings(config, configuration).filter(({ name }) => !without.test(name)))
  console.log(`${[...describeCluster(cluster), ...settings].join('\n')}\n`)
  const progress = showProgress(signal)
  await runOnCluster(configuration, cluster, new Stages(progress, signal), progress, signal)
})
