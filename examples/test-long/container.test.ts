import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CronJob } from 'kubernetes-models/batch/v1'
import { PersistentVolumeClaim } from 'kubernetes-models/v1'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { writeCatalogue } from '../catalogue/write-catalogue.ts'
import { settingsOf } from '../configuration/settings.ts'
import recordShop from '../seesaw.config.ts'

// Child processes on a busy machine take their time; no time is asserted here.
const root = join(import.meta.dirname, '..', '..')
const keysOfS3 = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
const variables = settingsOf(recordShop).map(({ variable }) => variable)

test('the CronJob of the docs is one, and sets variables that there are', async () => {
  const text = await readFile(join(root, 'docs', 'containers.md'), 'utf8')
  const documents = parseAllDocuments(/```yaml\n(.*?)```/s.exec(text)![1]).map((document) => document.toJS())
  expect(documents.map(({ kind }) => kind)).toEqual(['CronJob', 'PersistentVolumeClaim'])
  const [job, claim] = documents
  new CronJob(job).validate()
  new PersistentVolumeClaim(claim).validate()
  // The schema would say if it did not fit.
  expect(() => new CronJob({ ...job, spec: { ...job.spec, concurrencyPolicy: 7 } }).validate()).toThrow()
  const { containers, volumes, terminationGracePeriodSeconds } = job.spec.jobTemplate.spec.template.spec
  for (const { name } of containers[0].env) expect(variables).toContain(name)
  expect(volumes[0].persistentVolumeClaim.claimName).toBe(claim.metadata.name)
  expect(terminationGracePeriodSeconds).toBeGreaterThan(10)
})

test('the Dockerfile sets variables that there are, and starts what is there', async () => {
  const text = await readFile(join(root, 'Dockerfile'), 'utf8')
  for (const [, name] of /^ENV (.*)$/m.exec(text)![1].matchAll(/(\w+)=/g)) expect(variables).toContain(name)
  const [node, program] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(text)![1])
  expect(node).toBe('node')
  await readFile(join(root, program))
})

interface Service {
  image?: string
  build?: string
  ports?: string[]
  volumes: string[]
}

test('the services of compose.yaml are pinned, answer on this machine alone, and the run sets variables that there are', async () => {
  const { services, volumes } = parse(await readFile(join(root, 'compose.yaml'), 'utf8'))
  for (const { image, build, ports = [], volumes: mounts } of Object.values<Service>(services)) {
    expect(image ?? build).toMatch(/:v?\d+\.\d+|^\.$/)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
    for (const mount of mounts) expect(Object.keys(volumes)).toContain(mount.split(':')[0])
  }
  const { environment, depends_on } = services.train
  for (const name of Object.keys(environment)) expect([...variables, ...keysOfS3]).toContain(name)
  for (const name of ['S3_ENDPOINT', 'QDRANT_URL']) {
    const { hostname, port } = new URL(environment[name])
    expect(depends_on).toContain(hostname)
    expect(services[hostname].ports[0]).toMatch(new RegExp(`:${port}$`))
  }
})

const script = 'mount -o remount,ro,bind / 2>/dev/null || { mount --bind / / && mount -o remount,ro,bind /; }'
const possible = spawnSync('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', script]).status === 0
if (!possible) console.warn('Skipped: a container by hand, since namespaces cannot be made here.')

describe.skipIf(!possible)('in namespaces of its own, on a read-only root with one volume', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'container-'))
    mkdirSync(join(folder, 'work'))
    await writeCatalogue({ directory: folder, users: 600, releases: 300, seed: 1 })
  })
  afterAll(() => rm(folder, { recursive: true }))

  function start(more: Record<string, string> = {}) {
    const work = join(folder, 'work')
    const volume = `mount --bind ${work} ${work} && mount -o remount,rw,bind ${work}`
    const command = `mount --bind / / && mount -o remount,ro,bind / && ${volume} && exec ${process.execPath} ${join(root, 'examples/train.ts')}`
    const child = spawn(
      'unshare',
      ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', command],
      {
        env: {
          PATH: process.env.PATH,
          HAVES: join(folder, 'haves'),
          SAMPLE_FRAC_HAVES: '1',
          MIN_ITEM_INTERACTIONS: '5',
          VECTOR_DIM: '16',
          ITERATIONS: '3',
          THREADS: '1',
          WORK_DIR: join(work, 'tmp'),
          OUTPUT_DIR: join(work, 'model'),
          CHECKPOINT_DIR: join(work, 'checkpoint'),
          ...more,
        },
      },
    )
    const program = { child, stderr: '', ended: once(child, 'close') }
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      program.stderr += text
    })
    return program
  }

  test('it runs, and leaves the model and the checkpoint', async () => {
    const program = start()
    expect(await program.ended, program.stderr).toEqual([0, null])
    expect((await readdir(join(folder, 'work'))).sort()).toEqual(['checkpoint', 'model', 'tmp'])
    expect(await readdir(join(folder, 'work', 'tmp'))).toEqual([])
  })

  test('without the volume it says which folders it cannot write to', async () => {
    const program = start({ WORK_DIR: join(folder, 'elsewhere'), OUTPUT_DIR: join(folder, 'nowhere') })
    expect((await program.ended)[0]).toBe(2)
    expect(program.stderr).toMatch(/OUTPUT_DIR=.*: a read-only file system/)
    expect(program.stderr).toMatch(/WORK_DIR=.*: a read-only file system/)
  })

  test('SIGTERM ends it as process 1, with exit code 143', async () => {
    const program = start({ ITERATIONS: '10000' })
    while (!/train +iterations +\d/.test(program.stderr)) await new Promise((resolve) => setTimeout(resolve, 50))
    const { stdout } = spawnSync('pgrep', ['-P', String(program.child.pid)])
    process.kill(Number(String(stdout).trim()), 'SIGTERM')
    expect(await program.ended, program.stderr).toEqual([143, null])
    expect(program.stderr).toContain('Stopped: SIGTERM received.')
  })
})
