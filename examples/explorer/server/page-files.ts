import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { FastifyInstance } from 'fastify'

const folder = join(import.meta.dirname, '..', 'page')

/** The page: one script, bundled from its sources at the start, one style sheet, one picture. */
export async function addPage(server: FastifyInstance): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'main.tsx')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'silent',
  })
  const files: [string, string, string | Buffer][] = [
    ['/', 'text/html; charset=utf-8', await readFile(join(folder, 'index.html'))],
    ['/style.css', 'text/css; charset=utf-8', await readFile(join(folder, 'style.css'))],
    ['/icon.svg', 'image/svg+xml', await readFile(join(folder, 'icon.svg'))],
    ['/page.js', 'text/javascript; charset=utf-8', Buffer.from(outputFiles[0]!.contents)],
  ]
  for (const [path, type, content] of files) {
    server.get(path, (_request, reply) => reply.type(type).header('cache-control', 'no-cache').send(content))
  }
}
