/**
 * Which part of a package may import from which: parts are listed from the bottom up, and a file imports from its own folder
 * and from parts listed before it, never from those after. docs/architecture.md says what each of them does.
 */
export const layers = {
  'packages/als-core/src': [
    ...['checks', 'pool', 'kernel', 'linear-algebra', 'matrix', 'features', 'model'],
    ...['rank', 'solve', 'recommend', 'evaluate', 'train', 'tune'],
    ...['worker.ts', 'index.ts'],
  ],
  'packages/loader/src': [
    ...['errors.ts', 'progress.ts', 'kernel', 'storage', 'parquet', 'options.ts', 'ids', 'rows', 'pool'],
    ...[
      'matrix',
      'spill',
      'plan',
      'source-stats.ts',
      'warnings.ts',
      'statistics.ts',
      'kept-fetches.ts',
      'read-pass.ts',
    ],
    ...['count', 'scatter', 'merge', 'transpose', 'items', 'vectors'],
    ...['load-interactions.ts', 'worker.ts', 'index.ts'],
  ],
  'packages/qdrant-sink/src': ['checks', 'points', 'server', 'errors.ts', 'generation', 'publish', 'query', 'index.ts'],
  'packages/spark/src': [
    ...['errors.ts', 'progress.ts', 'storage-path.ts', 'options.ts', 'resolve-options.ts', 'job.ts', 'command-line.ts'],
    ...['spark-submit.ts', 'explain.ts', 'train-on-spark.ts', 'index.ts'],
  ],
}

/** Which packages a package may import from, by their names. */
const packages = { 'als-core': [], loader: ['als-core'], 'qdrant-sink': [], spark: [] }

const toPath = (root, parts) => `^${root}/(${parts.map((part) => part.replace(/\.ts$/, '[.]ts$')).join('|')})`

const upwards = Object.entries(layers).flatMap(([root, parts]) => [
  ...parts.map((part, n) => ({
    name: `${root.split('/')[1]}: nothing above ${part}`,
    severity: 'error',
    from: { path: toPath(root, [part]) },
    to: { path: `^${root}/`, pathNot: toPath(root, parts.slice(0, n + 1)) },
  })),
  {
    name: `${root.split('/')[1]}: every part is in the list`,
    severity: 'error',
    from: { path: `^${root}/`, pathNot: toPath(root, parts) },
    to: {},
  },
])

const between = Object.entries(packages).map(([name, allowed]) => ({
  name: `${name}: of other packages only [${allowed}], by name`,
  severity: 'error',
  from: { path: `^packages/${name}/src/` },
  to: {
    path: '^packages/',
    pathNot: [`^packages/${name}/src/`, ...allowed.map((other) => `^packages/${other}/src/index[.]ts$`)],
  },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    // Types count: a reader goes round a circle of types as well.
    { name: 'no circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'nothing that cannot be found', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...upwards,
    ...between,
  ],
  options: {
    parser: 'tsc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '[.]wasm[.]ts$' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
}
