/**
 * Passes elsewhere, training here: a cluster or DuckDB reads the rows of years and merges them, and what is left of them
 * fits this machine.
 *
 *     node examples/train-on-entries.ts --entries entries/
 *     HAVES=… WANTS=… RATINGS=… node examples/train-on-entries.ts --entries entries/ --merge duckdb
 *
 * `entries/` is Parquet with the columns user, item and value, as `mergeOnSpark` of @seesaw/spark or DuckDB writes it.
 * The other variables are those of train.ts; a sample is taken where the rows are, so DuckDB here takes all users.
 */
import { parseArgs } from 'node:util'
import { saveModel, train } from '@seesaw/als-core'
import { loadInteractions } from '@seesaw/loader'
import { mergeWithDuckdb } from './cluster/duckdb-entries.ts'
import { loadConfig } from './configuration/load-config.ts'
import { ConfigurationError, readConfiguration } from './configuration/read-configuration.ts'
import { interruptible } from './pipeline/interruption.ts'
import { loadOptions } from './pipeline/load.ts'

await interruptible(async (signal) => {
  const { values } = parseArgs({ options: { entries: { type: 'string' }, merge: { type: 'string' } } })
  const { entries, merge } = values
  if (entries === undefined) throw new ConfigurationError(['--entries: not set: name the folder of merged entries'])
  if (merge !== undefined && merge !== 'duckdb') {
    throw new ConfigurationError([`--merge=${merge}: expected 'duckdb', or nothing where the entries are there`])
  }
  const { config, place } = await loadConfig()
  const environment = merge === undefined ? { ...process.env, HAVES: entries } : process.env
  const configuration = readConfiguration(config, environment, place)
  const { training, seed, threads, thresholds, output } = configuration

  if (merge === 'duckdb') {
    const places = Object.fromEntries(configuration.sources.map(({ name, uri }) => [name, uri]))
    await mergeWithDuckdb(places, thresholds, entries, threads)
    console.log(`DuckDB has merged ${Object.keys(places).join(', ')} into ${entries}.`)
  }

  // Merged entries are what they are: each counts its value, and nothing is left to drop.
  const { matrix, userIds, itemIds, interactionCounts } = await loadInteractions({
    ...loadOptions(configuration, signal),
    sources: [
      {
        name: 'entries',
        uri: entries,
        user: 'user',
        item: 'item',
        confidence: { column: 'value', weight: 'linear' },
      },
    ],
    thresholds: { user: 1, item: 1 },
  })
  console.log(`${matrix.users} users × ${matrix.items} items, ${matrix.entries} entries`)
  const unobservedWeight = training.objective === 'ials' ? training.unobservedWeight : undefined
  const model = await train(matrix, {
    ...{ ...training, unobservedWeight, seed, threads, userIds, itemIds, interactionCounts, signal },
    onIteration: ({ iteration, loss, seconds }) =>
      console.error(`iteration ${iteration}: loss ${loss.toPrecision(6)}, ${seconds.toFixed(2)} s`),
  })
  await saveModel(model, output.model, { interactions: matrix })
  console.log(`The model is in ${output.model}.`)
})
