import { z } from 'zod'
import { usableProcessors } from '../configuration/limits.ts'
import { ConfigurationError } from '../configuration/read-configuration.ts'

const integer = (min: number, max: number) => {
  const error = `expected an integer from ${min} to ${max}`
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}

/** The variables of the server, with their meanings for `--help`. */
const schema = z.object({
  OUTPUT_DIR: z
    .string()
    .min(1)
    .default('./model')
    .describe('where the model is: the folder that the training saves to'),
  HOST: z.string().min(1).default('127.0.0.1').describe('the address to listen at; 0.0.0.0 for all of the machine'),
  PORT: integer(0, 65_535).default(8080).describe('the port; 0 for any that is free'),
  THREADS: integer(1, 1024)
    .default(() => Math.max(1, usableProcessors() - 1))
    .describe('threads that rank; by default all cores but the one that speaks HTTP'),
  RELOAD_SECONDS: integer(0, 86_400).default(10).describe('how often to look for a new model; 0 for SIGHUP alone'),
  MAX_IN_FLIGHT: integer(1, 1_000_000)
    .default(1000)
    .describe('answers under way above which more questions get 503 at once'),
  DRAIN_SECONDS: integer(0, 8)
    .default(5)
    .describe('how long requests are still taken after SIGTERM, while /ready says 503'),
  LOG_LEVEL: z
    .enum(['error', 'warn', 'info', 'debug'], { error: "expected 'error', 'warn', 'info' or 'debug'" })
    .default('info')
    .describe('what is logged, in JSON lines on standard output'),
})

export type ServerSettings = z.output<typeof schema>

/** @throws ConfigurationError listing every variable that cannot be used */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): ServerSettings {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const result = schema.safeParse(given)
  if (result.success) return result.data
  throw new ConfigurationError(
    result.error.issues.map(({ path, message }) => `${path[0]!.toString()}=${given[path[0]!.toString()]}: ${message}`),
  )
}

/** The variables, a line each. */
export function describeSettings(): string {
  return Object.entries(schema.shape)
    .map(([name, { description }]) => {
      const value = schema.parse({})[name as keyof ServerSettings]
      return `  ${name.padEnd(16)}${description} [${value}]`
    })
    .join('\n')
}
