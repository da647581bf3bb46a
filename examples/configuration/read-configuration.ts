import { distance } from 'fastest-levenshtein'
import type { z } from 'zod'
import { type Configuration, type SeesawConfig, schema } from './schema.ts'
import { type Path, type Setting, settingsOf } from './settings.ts'

/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Thrown with every bad setting at once, one line each. */
export class ConfigurationError extends Error {
  override readonly name: string = 'ConfigurationError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? 'One setting is' : `${problems.length} settings are`
    super(`${count} not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/**
 * Lays the environment over a configuration module, and checks the whole. An empty variable counts as not set.
 *
 * @param config what the module exports; its variables are those of `settingsOf`
 * @param place the module as messages name it
 * @throws ConfigurationError naming every setting that is not usable, what it was and what was expected
 */
export function readConfiguration(
  config: SeesawConfig,
  environment: Environment,
  place = 'seesaw.config.ts',
): Configuration {
  if (!Array.isArray(config?.sources)) {
    throw new ConfigurationError([
      `${place}: sources is ${JSON.stringify(config?.sources)}, expected a list of sources`,
    ])
  }
  const settings = settingsOf(config)
  const whole = structuredClone(config) as unknown as Tree
  const texts = new Map<Setting, string>()
  for (const setting of settings) {
    const text = environment[setting.variable]?.trim()
    if (!text) continue
    texts.set(setting, text)
    put(whole, setting.path, setting.parse ? setting.parse(text) : text)
  }
  const problems = misspelled(settings, environment)
  const result = schema.safeParse(whole)
  if (!result.success) {
    for (const issue of result.error.issues) problems.push(describeIssue(issue, whole, texts, place))
  }
  const named = (whole.sources as unknown as SeesawConfig['sources']).filter(
    ({ uri, files }) => uri !== undefined || files !== undefined,
  )
  if (named.length === 0) {
    const [first, ...others] = settings.filter(({ path }) => path[0] === 'sources' && path[2] === 'uri')
    const nor = others.length > 0 ? `, nor ${others.map(({ variable }) => variable).join(' or ')}` : ''
    // Without a source the schema has said what is missing.
    if (first)
      problems.push(
        `${first.variable}: not set${nor}: name at least one source, as s3://bucket/prefix/ or a folder of Parquet`,
      )
  }
  if (problems.length > 0 || !result.success) throw new ConfigurationError(problems)
  const recommend = !FITTED.some((name) => at(whole, ['training', name]) !== undefined)
  return { ...result.data, sources: named, recommend } as Configuration
}

/** The options of a training that depend on its data. */
const FITTED: readonly (keyof Configuration['training'])[] = [
  ...(['regularization', 'regularizationScaling', 'objective', 'alpha'] as const),
  ...(['unobservedWeight', 'popularityExponent'] as const),
]

/** Whether a setting is one that `recommendedOptions` says where a configuration gives none of them. */
export function isFitted({ path: [group, name] }: Setting): boolean {
  return group === 'training' && (FITTED as readonly unknown[]).includes(name)
}

/** What a fitted option is before the data are there. */
export const BY_SHAPE = 'by the shape of the data'

/** What a setting is in a configuration, as a person reads it. */
export interface ChosenSetting {
  /** Its variable. */
  readonly name: string
  /** Absent where it is not set. */
  readonly value?: string
}

/** The configuration in the order of the settings; keys and passwords are masked. */
export function chosenSettings(config: SeesawConfig, configuration: Configuration): ChosenSetting[] {
  const given = { ...configuration, sources: config.sources.map((source) => find(source, configuration)) }
  return settingsOf(config).map((setting) => {
    const { variable: name, path, print } = setting
    if (isFitted(setting) && configuration.recommend) return { name, value: BY_SHAPE }
    const value = at(given as unknown as Tree, path)
    return value === undefined ? { name } : { name, value: shown(name, print?.(value) ?? asText(value)) }
  })
}

/** The same as lines `NAME value`. */
export function describeSettings(settings: readonly ChosenSetting[]): string[] {
  const width = Math.max(...settings.map(({ name }) => name.length)) + 2
  return settings.map(({ name, value = '-' }) => `${name.padEnd(width)}${value}`)
}

/** Variables that are set, are no setting and look like one that is not set. `own` are settings of the program alone. */
export function lookalikes(config: SeesawConfig, environment: Environment, own: readonly string[] = []): string[] {
  const known = [...settingsOf(config).map(({ variable }) => variable), ...own]
  return unknown(known, environment).flatMap((name) => {
    const near = known.find(
      (variable) => !environment[variable] && plain(variable) !== plain(name) && isNear(name, variable),
    )
    return near ? [`${name} is set and is no setting. Did you mean ${near}?`] : []
  })
}

/** Whether two names are a slip or two apart. */
export function isNear(name: string, other: string): boolean {
  return distance(name, other) <= (Math.min(name.length, other.length) < 6 ? 1 : 2)
}

/** Variables that are a setting's name but for case, dashes and underscores: meant, and without effect. */
function misspelled(settings: readonly Setting[], environment: Environment): string[] {
  const known = settings.map(({ variable }) => variable)
  return unknown(known, environment).flatMap((name) => {
    const meant = known.find((variable) => plain(variable) === plain(name))
    return meant && !environment[meant]
      ? [`${name}=${shown(name, environment[name]!)}: no such setting. Write ${meant}`]
      : []
  })
}

function unknown(known: readonly string[], environment: Environment): string[] {
  // A shell sets `_` to the program that it runs.
  return Object.keys(environment).filter((name) => environment[name] && name !== '_' && !known.includes(name))
}

function plain(name: string): string {
  return name.toUpperCase().replaceAll(/[_-]/g, '')
}

function describeIssue(
  issue: z.core.$ZodIssue,
  whole: Tree,
  texts: ReadonlyMap<Setting, string>,
  place: string,
): string {
  const path = issue.path as Path
  for (const [{ variable, path: own }, text] of texts) {
    if (own.every((step, i) => step === path[i])) return `${variable}=${shown(variable, text)}: ${issue.message}`
  }
  const name = path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text ? `${text}.${step}` : step),
    '',
  )
  if (issue.code === 'unrecognized_keys') {
    const inside = name ? ` in ${name}` : ''
    return `${place}: ${issue.keys.map((key) => `"${key}"`).join(', ')}${inside}: no such option`
  }
  return `${place}: ${name} is ${shown(name, JSON.stringify(at(whole, path)) ?? 'not set')}: ${issue.message}`
}

/** A configuration as any object is: values by step. */
interface Tree {
  [step: string | number]: unknown
}

function at(tree: Tree, path: Path): unknown {
  return path.reduce<unknown>((value, step) => (value as Tree | undefined)?.[step], tree)
}

function put(tree: Tree, path: Path, value: unknown): void {
  const [step, ...rest] = path
  if (rest.length === 0) tree[step!] = value
  else {
    tree[step!] ??= {}
    put(tree[step!] as Tree, rest, value)
  }
}

function find(source: { name: string }, { sources }: Configuration): unknown {
  return sources.find(({ name }) => name === source.name) ?? source
}

function asText(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'nu' in value) return String(value.nu)
  return String(value)
}

function shown(name: string, text: string): string {
  if (/key$/i.test(name)) return '********'
  return text.replace(/\/\/[^/@]+@/, '//********@')
}
