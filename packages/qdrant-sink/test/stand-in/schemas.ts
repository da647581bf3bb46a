import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Ajv, type ValidateFunction } from 'ajv'
import { createGenerator } from 'ts-json-schema-generator'

/**
 * Validators for request bodies, made from the types that the official client generates from the server's OpenAPI document. Strict where
 * the types are: no unknown keys. Made on first use (some seconds) and kept in node_modules/.cache for that version of the client.
 */
export function requestValidators(): (type: string) => ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: false })
  ajv.addSchema(readSchemas(), 'client')
  return (type) => ajv.getSchema(`client#/definitions/${type}`) ?? missing(type)
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

function readSchemas(): { [key: string]: Json } {
  const client = fileURLToPath(new URL('../', import.meta.resolve('@qdrant/js-client-rest'))).replace(/esm\/$/, '')
  const { version } = createRequire(import.meta.url)(`${client.replace(/dist\/$/, '')}package.json`) as {
    version: string
  }
  const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))
  const cached = `${cache}requests-${version}.json`
  if (existsSync(cached)) return JSON.parse(readFileSync(cached, 'utf8'))
  mkdirSync(cache, { recursive: true })
  const schemas = strict(
    generate(`${client}types/openapi/generated_schema.d.ts`, `${cache}requests-${process.pid}.ts`),
  ) as { [key: string]: Json }
  writeFileSync(`${cached}.${process.pid}`, JSON.stringify(schemas))
  renameSync(`${cached}.${process.pid}`, cached)
  return schemas
}

/** The client nests its schemas in one interface, which leaves recursive types without names; here each becomes a type of its own. */
function generate(types: string, scratch: string): Json {
  const source = readFileSync(types, 'utf8')
  const begin = '    schemas: {\n'
  const body = source.slice(source.indexOf(begin) + begin.length, source.indexOf('\n    };\n    responses:'))
  const flat = body.replace(/components\["schemas"\]\["(\w+)"\]/g, '$1').replace(/^ {8}(\w+): /gm, 'export type $1 = ')
  writeFileSync(scratch, `type OneOf<T extends any[]> = T[number]\n${flat}`)
  const generator = createGenerator({ path: scratch, type: '*', skipTypeCheck: true, additionalProperties: false })
  return JSON.parse(JSON.stringify(generator.createSchema('*')))
}

/** `X | Record<string, unknown> | null` is how the client's generator writes "X or null"; taken at its word it would allow any object. */
function strict(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(strict)
  if (schema === null || typeof schema !== 'object') return schema
  const entries = Object.entries(schema).map(([key, value]): [string, Json] => {
    const alternatives =
      key === 'anyOf' && Array.isArray(value) && value.length > 1 ? value.filter((one) => !isAnything(one)) : value
    return [key, strict(alternatives)]
  })
  return Object.fromEntries(entries)
}

function isAnything(schema: Json): boolean {
  return (schema as { $ref?: string } | null)?.$ref === '#/definitions/Record%3Cstring%2Cunknown%3E'
}

function missing(type: string): never {
  throw new Error(`The client's types have no schema ${type}.`)
}
