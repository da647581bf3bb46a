import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')

/** A block of TypeScript on a page, with what the page takes as given in front of it, on one line. */
export interface CodeBlock {
  /** Path from the root. */
  readonly page: string
  /** Line of the page with the block's first line, from 1. */
  readonly line: number
  readonly code: string
  /** The block with what it takes as given on a line of its own before it. */
  readonly module: string
  /** The page says that the block is a whole program: <!-- runs --> stands above it. */
  readonly runs: boolean
}

/** The pages that have code: the README, the guides, the packages' READMEs. */
export async function pages(): Promise<string[]> {
  const found: string[] = []
  for await (const path of glob(['README.md', 'docs/*.md', 'packages/*/README.md'], { cwd: ROOT })) found.push(path)
  return found.sort()
}

/**
 * The blocks of a page in order. A comment of this form holds declarations that the blocks after it take as given, a
 * statement per line; a later one adds to it, and what a block imports or declares itself stands instead.
 *
 *     <!-- given
 *     import { train } from '@seesaw/als-core'
 *     declare const known: import('@seesaw/als-core').InteractionMatrix
 *     -->
 */
export async function blocksOf(page: string): Promise<CodeBlock[]> {
  const text = await readFile(join(ROOT, page), 'utf8')
  const blocks: CodeBlock[] = []
  const given: string[] = []
  for (const match of text.matchAll(/^<!-- given\n(.*?)^-->$|^(<!-- runs -->\n+)?```ts\n(.*?)^```$/gms)) {
    const [whole, statements, runs, code] = match
    if (statements !== undefined) {
      given.push(...statements.trim().split('\n'))
      continue
    }
    const line = text.slice(0, match.index + whole.indexOf('```ts')).split('\n').length + 1
    const own = declaredNames(code)
    const needed = given.map((statement) => without(statement, own)).filter(Boolean)
    blocks.push({ page, line, code, module: `export {}; ${needed.join('; ')}\n${code}`, runs: runs !== undefined })
  }
  return blocks
}

/** A statement without the names that the block declares itself; nothing where none is left. */
function without(statement: string, own: ReadonlySet<string>): string {
  const imports = /^import \{ (.*) \} from (.*)$/.exec(statement)
  if (!imports) return [...declaredNames(statement)].some((name) => own.has(name)) ? '' : statement
  const names = imports[1].split(', ').filter((name) => !own.has(name.replace('type ', '')))
  return names.length > 0 ? `import { ${names.join(', ')} } from ${imports[2]}` : ''
}

function declaredNames(code: string): Set<string> {
  const names = new Set<string>()
  for (const [, list, one] of code.matchAll(
    /(?:import|const|let) (?:type )?[{[]([^}\]]*)[}\]]|(?:const|let|function|class|interface|type) (\w+)/g,
  )) {
    if (one) names.add(one)
    else for (const [, , name] of list.matchAll(/(?:\w+(?:: | as ))?((\w+))/g)) names.add(name)
  }
  return names
}
