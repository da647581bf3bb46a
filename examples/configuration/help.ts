import wrapAnsi from 'wrap-ansi'
import type { Flag } from './command-line.ts'
import { BY_SHAPE, isFitted } from './read-configuration.ts'
import { type SeesawConfig, schema } from './schema.ts'
import { type Setting, settingsOf } from './settings.ts'

/** What a program says of itself with `--help`. */
export interface Usage {
  /** How it is called, as `npm run train -- [flags]`. */
  readonly command: string
  /** What it does, in a sentence or two. */
  readonly summary: string
  readonly flags: Readonly<Record<string, Flag>>
  /** Variables without effect on this program. */
  readonly without?: RegExp
  /** Variables of this program alone: a heading, and what each means. */
  readonly own?: { readonly group: string; readonly variables: Readonly<Record<string, string>> }
}

/** What it does, how it is called, its flags. */
export function renderUsage({ command, summary, flags }: Usage, columns: number): string {
  const rows = Object.entries(flags).map(([name, { placeholder, meaning }]) => [
    `--${name}${placeholder ? ` ${placeholder}` : ''}`,
    meaning,
  ])
  return [wrap(summary, columns, 0), `Usage: ${command}`, `Flags\n${renderRows(rows, columns)}`].join('\n\n')
}

/** The help text: flags, then every environment variable with its default under this configuration. */
export function renderHelp(usage: Usage, config: SeesawConfig, place: string, columns: number): string {
  const settings = settingsOf(config).filter(({ variable }) => !usage.without?.test(variable))
  const groups = [...new Set(settings.map(({ group }) => group))].map((group) => {
    const rows = settings
      .filter((setting) => setting.group === group)
      .map((setting) => [setting.variable, describeSetting(setting, config)])
    return `${group}\n${renderRows(rows, columns)}`
  })
  return [
    renderUsage(usage, columns),
    wrap(`Environment variables, over what ${place} says:`, columns, 0),
    ...(usage.own ? [`${usage.own.group}\n${renderRows(Object.entries(usage.own.variables), columns)}`] : []),
    ...groups,
    wrap(
      'Columns, weights, time windows and payloads are set in the configuration module: see examples/seesaw.config.ts.',
      columns,
      0,
    ),
  ].join('\n\n')
}

/** The default of a setting under a configuration, or undefined where it has none. */
export function defaultOf(config: SeesawConfig, { path }: Setting): unknown {
  const result = schema.safeParse(config)
  return path.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step],
    result.data ?? config,
  )
}

function describeSetting(setting: Setting, config: SeesawConfig): string {
  const value = defaultOf(config, setting)
  const isOpen = ({ training = {} }: SeesawConfig) =>
    !settingsOf(config).some((other) => isFitted(other) && Object.hasOwn(training, other.path[1]!))
  if (isFitted(setting) && isOpen(config)) return `${setting.meaning} [${BY_SHAPE}]`
  if (value === undefined || !setting.path.every((step) => step !== 'threads' && step !== 'memory'))
    return setting.meaning
  return `${setting.meaning} [${setting.print?.(value) ?? (typeof value === 'object' ? JSON.stringify(value) : String(value))}]`
}

function renderRows(rows: readonly (readonly string[])[], columns: number): string {
  const width = Math.max(...rows.map(([name]) => name!.length)) + 4
  // On a narrow terminal the meaning stands below the name.
  const [indent, between] = columns - width < 40 ? [6, `\n${' '.repeat(6)}`] : [width, '']
  const pad = between ? 0 : width - 2
  return rows.map(([name, text]) => `  ${name!.padEnd(pad)}${between}${wrap(text!, columns, indent)}`).join('\n')
}

/** No line is wider than `columns`; from the second on they are indented. */
function wrap(text: string, columns: number, indent: number): string {
  return wrapAnsi(text, Math.max(24, columns - indent)).replaceAll('\n', `\n${' '.repeat(indent)}`)
}
