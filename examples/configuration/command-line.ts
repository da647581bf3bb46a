import { parseArgs } from 'node:util'
import { closest } from 'fastest-levenshtein'
import { ConfigurationError, isNear } from './read-configuration.ts'

/** A flag of a program: `--name`, or `--name VALUE` where there is a placeholder. */
export interface Flag {
  readonly meaning: string
  readonly placeholder?: string
}

/**
 * Reads the flags of a program, those that were given.
 *
 * @throws ConfigurationError naming every argument that is none, and the nearest that is
 */
export function readFlags<Name extends string>(
  flags: Readonly<Record<Name, Flag>>,
  args: readonly string[],
): Partial<Record<Name, string>> {
  const names = Object.keys(flags) as Name[]
  const options = Object.fromEntries(
    names.map((name) => [name, { type: flags[name].placeholder ? ('string' as const) : ('boolean' as const) }]),
  )
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  const given: Partial<Record<Name, string>> = {}
  const problems: string[] = []
  for (const [at, token] of tokens.entries()) {
    // A word after a flag that does not exist is meant as its value.
    const before = tokens[at - 1]
    const belongs = before?.kind === 'option' && !(before.name in flags)
    if (token.kind === 'positional' && !belongs) problems.push(describeWord(token.value, names))
    if (token.kind !== 'option') continue
    const flag = flags[token.name as Name]
    if (!flag) problems.push(describeUnknown(token.rawName, token.name, names))
    else if (flag.placeholder && (!token.value || token.value.startsWith('-')))
      problems.push(`--${token.name}: expected a value, --${token.name} ${flag.placeholder}`)
    else if (!flag.placeholder && token.value !== undefined)
      problems.push(`--${token.name}=${token.value}: expected no value`)
    else given[token.name as Name] = token.value ?? 'true'
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  return given
}

function describeUnknown(written: string, name: string, names: readonly string[]): string {
  const near = closest(name, names as string[])
  const advice = isNear(name, near)
    ? `Did you mean --${near}?`
    : `There are: ${names.map((each) => `--${each}`).join(', ')}`
  return `${written}: no such flag. ${advice}`
}

function describeWord(word: string, names: readonly string[]): string {
  const [variable] = /^[A-Z][A-Z0-9_]*(?==)/.exec(word) ?? []
  if (variable) return `${word}: variables stand before the command, as in ${variable}=… npm run train`
  return names.includes(word) ? `${word}: write --${word}` : `${word}: no arguments are expected, only flags`
}
