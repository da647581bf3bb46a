import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError } from './read-configuration.ts'
import type { SeesawConfig } from './schema.ts'

/** A configuration module and where it came from. */
export interface LoadedConfig {
  readonly config: SeesawConfig
  /** As messages name it. */
  readonly place: string
}

const own = join(import.meta.dirname, '..', 'seesaw.config.ts')

/**
 * Imports a configuration module: the one named, else `seesaw.config.ts` in the working folder, else the record shop's.
 *
 * @throws ConfigurationError when there is no such file, it cannot be imported, or it exports no configuration
 */
export async function loadConfig(named?: string): Promise<LoadedConfig> {
  const local = 'seesaw.config.ts'
  const place = named ?? (existsSync(local) ? local : own)
  if (!existsSync(place)) throw new ConfigurationError([`--config ${place}: no such file`])
  let module: { default?: unknown }
  try {
    module = (await import(pathToFileURL(resolve(place)).href)) as { default?: unknown }
  } catch (error) {
    throw new ConfigurationError([`${place} cannot be imported: ${(error as Error).message}`])
  }
  if (typeof module.default !== 'object' || module.default === null) {
    throw new ConfigurationError([`${place} has no default export. Write export default defineConfig({ … })`])
  }
  return { config: module.default as SeesawConfig, place: place === own ? 'seesaw.config.ts' : place }
}
