/**
 * `npm run bench -- NAME [--size S] [--quick] [...]` runs the benchmark of that name. Each ends with one line of JSON.
 */
import { readdirSync } from 'node:fs'

const names = readdirSync(new URL('./suite/', import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
const [name, ...args] = process.argv.slice(2)

if (name === undefined || !names.includes(name)) {
  console.error(`Usage: npm run bench -- NAME [--size S] [--quick]\nNAME is one of: ${names.join(', ')}`)
  process.exit(2)
}

const benchmark: { main(args: string[]): Promise<Record<string, unknown>> } = await import(`./suite/${name}.ts`)
const figures = await benchmark.main(args)
console.log(JSON.stringify({ benchmark: name, ...figures }))
