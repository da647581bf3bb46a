import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readFlags } from '../configuration/command-line.ts'
import { renderHelp } from '../configuration/help.ts'
import { loadConfig } from '../configuration/load-config.ts'
import { settingsOf } from '../configuration/settings.ts'
import recordShop from '../seesaw.config.ts'

const folder = mkdtempSync(join(tmpdir(), 'command-line-'))
afterAll(() => rmSync(folder, { recursive: true }))

const flags = { users: { placeholder: 'COUNT', meaning: 'how many' }, help: { meaning: 'this text' } }

test('flags with and without a value', () => {
  expect(readFlags(flags, ['--users', '500', '--help'])).toEqual({ users: '500', help: 'true' })
  expect(readFlags(flags, ['--users=500'])).toEqual({ users: '500' })
  expect(readFlags(flags, [])).toEqual({})
})

test('what is no flag is named, with the nearest that is', () => {
  const problemsOf = (...args: string[]) => {
    try {
      readFlags(flags, args)
    } catch (error) {
      return (error as { problems: string[] }).problems
    }
    throw new Error('accepted')
  }
  expect(problemsOf('--user', '500')).toEqual(['--user: no such flag. Did you mean --users?'])
  expect(problemsOf('--quick', '-v')).toEqual([
    '--quick: no such flag. There are: --users, --help',
    '-v: no such flag. There are: --users, --help',
  ])
  expect(problemsOf('help', 'now', 'VECTOR_DIM=3')).toEqual([
    'help: write --help',
    'now: no arguments are expected, only flags',
    'VECTOR_DIM=3: variables stand before the command, as in VECTOR_DIM=… npm run train',
  ])
  expect(problemsOf('--help=1', '--users', '--help')).toEqual([
    '--help=1: expected no value',
    '--users: expected a value, --users COUNT',
  ])
})

test('the help names every flag and every variable with its default, no line wider than the terminal', () => {
  const usage = { command: 'npm run train', summary: 'Trains.', flags }
  for (const columns of [40, 80, 120]) {
    const lines = renderHelp(usage, recordShop, 'seesaw.config.ts', columns).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
    for (const name of ['--users COUNT', '--help', ...settingsOf(recordShop).map(({ variable }) => variable)]) {
      expect(lines.some((line) => `${line} `.startsWith(`  ${name} `))).toBe(true)
    }
  }
  const help = renderHelp(usage, recordShop, 'seesaw.config.ts', 120)
  expect(help).toMatch(/VECTOR_DIM +factors: the length of a vector \[128\]/)
  expect(help).toMatch(/MIN_ITEM_INTERACTIONS .*\[50\]/)
  expect(renderHelp({ ...usage, without: /HAVES/ }, recordShop, '', 120)).not.toMatch(/HAVES/)
})

test('a configuration module is imported; one that is missing, broken or empty is refused by name', async () => {
  const write = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const good = write('good.ts', "export default { sources: [{ name: 'views', uri: '/data' as string }] }")
  expect((await loadConfig(good)).config.sources[0].name).toBe('views')
  expect((await loadConfig()).config).toBe(recordShop)
  const missing = join(folder, 'missing.ts')
  await expect(loadConfig(missing)).rejects.toThrow(`--config ${missing}: no such file`)
  const empty = write('empty.ts', 'export const config = {}')
  await expect(loadConfig(empty)).rejects.toThrow(`${empty} has no default export`)
  const broken = write('broken.ts', 'export default {')
  await expect(loadConfig(broken)).rejects.toThrow(`${broken} cannot be imported`)
})
