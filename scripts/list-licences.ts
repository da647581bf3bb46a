/**
 * Writes THIRD-PARTY.md: what an installed package of this repository brings along, and under which licence. `npm run licences`.
 * A licence that asks more of its users than a notice is an error.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

const permissive = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT OR Apache-2.0',
  'Unlicense',
])

interface Dependency {
  name: string
  versions: string[]
  license: string
  homepage?: string
}

const packages = ['--filter', './packages/*']
const listed = execFileSync('npx', ['--yes', 'pnpm@12', ...packages, 'licenses', 'list', '--prod', '--json'], {
  encoding: 'utf8',
})
const dependencies = Object.values(JSON.parse(listed) as Record<string, Dependency[]>).flat()
const refused = dependencies.filter(({ license }) => !permissive.has(license))
if (refused.length > 0) {
  throw new Error(
    `Not permissive, or not known to be: ${refused.map(({ name, license }) => `${name} (${license})`).join(', ')}. ` +
      'Replace the dependency, or add its licence to the list in scripts/list-licences.ts.',
  )
}
const rows = dependencies
  .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  .map(({ name, versions, license }) => `| ${name} | ${versions.join(', ')} | ${license} |`)
writeFileSync(
  'THIRD-PARTY.md',
  `# Third-party packages

What \`npm install\` of the packages here brings along, with what those need in turn. \`npm run licences\` writes this list.

| package | version | licence |
|---|---|---|
${rows.join('\n')}
`,
)
console.log(`${dependencies.length} packages in THIRD-PARTY.md, all permissive.`)
