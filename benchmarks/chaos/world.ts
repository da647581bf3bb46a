import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadModel } from '@seesaw/als-core'
import { planLoad } from '@seesaw/loader'
import type { GenerationRecord } from '@seesaw/qdrant-sink'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import { readConfiguration } from '../../examples/configuration/read-configuration.ts'
import { loadOptions } from '../../examples/pipeline/load.ts'
import recordShop from '../../examples/seesaw.config.ts'
import type { Front } from '../../packages/qdrant-sink/test/stand-in/front.ts'
import { startProxy } from '../../packages/qdrant-sink/test/stand-in/proxy.ts'
import { type StandIn, startStandIn } from '../../packages/qdrant-sink/test/stand-in/server.ts'
import { type Ending, Program } from './program.ts'
import { peaceful, type Round } from './round.ts'
import { keys, uploadShop } from './shop.ts'
import { stormQdrant, stormS3, type Weather } from './storm.ts'
import { Watcher } from './watcher.ts'

/** A model as it comes out in peace, by the bits of its factors. */
interface Reference {
  readonly digest: string
  readonly items: number
}

/** What differs between the nights: the users that count. */
const variants = ['5', '25'] as const
const ALIAS = 'chaos'
/** A run that has not ended by then, in milliseconds, never will. */
const LIMIT = 600_000

/** An S3 server, a Qdrant and folders, in which the pipeline runs round after round. */
export class World {
  readonly weather: Weather = { s3: 0, qdrant: 0, qdrantDown: false }
  readonly violations: string[] = []
  readonly counts = {
    runs: 0,
    published: 0,
    failed: 0,
    killed: 0,
    stopped: 0,
    resumed: 0,
    throughFiles: 0,
    fullDisks: 0,
  }
  typical = 0
  readonly #folder: string
  readonly #s3: FauxqsServer
  readonly #standIn: StandIn
  readonly #front: Front
  readonly #stormyS3: Awaited<ReturnType<typeof stormS3>>
  readonly #stormyQdrant: { hits: number }
  #references: Reference[] = []
  /** By number of threads, bytes with which a load has to work through files. */
  readonly #tight = new Map<number, number>()
  #watcher: Watcher | undefined
  #round = 0

  private constructor(
    folder: string,
    s3: FauxqsServer,
    standIn: StandIn,
    front: Front,
    stormyS3: Awaited<ReturnType<typeof stormS3>>,
    random: () => number,
  ) {
    this.#folder = folder
    this.#s3 = s3
    this.#standIn = standIn
    this.#front = front
    this.#stormyS3 = stormyS3
    stormyS3.weather = this.weather
    this.#stormyQdrant = stormQdrant(front, this.weather, random)
  }

  static async create(random: () => number): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'seesaw-chaos-'))
    for (const name of ['tmp', 'work']) await mkdir(join(folder, name))
    const s3 = await startFauxqs({ port: 0, logger: false })
    await uploadShop(s3.address)
    const standIn = await startStandIn()
    const front = await startProxy(standIn.url)
    const world = new World(folder, s3, standIn, front, await stormS3(s3.address, random), random)
    await world.#learnReferences()
    world.#watcher = new Watcher(standIn.url, ALIAS, new Set(world.#references.map(({ items }) => items)))
    return world
  }

  /** Faults so far, in requests. */
  get faults(): number {
    return this.#stormyS3.hits + this.#stormyQdrant.hits
  }

  /** Answers that the client of the alias got. */
  get answers(): number {
    return this.#watcher?.answers ?? 0
  }

  async play(round: Round): Promise<void> {
    this.#round++
    Object.assign(this.weather, { s3: round.s3, qdrant: round.qdrant })
    const over = new AbortController()
    const later = (after: number, act: () => void) =>
      sleep(after, undefined, { signal: over.signal }).then(act, () => {})
    const first = this.#start(round, round.variant)
    const programs = [first]
    const { signal, second, outage } = round
    if (signal) later(signal.after, () => first.kill(signal.name))
    if (outage) {
      later(outage.after, () => {
        this.weather.qdrantDown = true
      })
      later(outage.after + outage.length, () => {
        this.weather.qdrantDown = false
      })
    }
    let other: Program | undefined
    if (second) {
      await Promise.race([sleep(second.after), first.ended])
      other = this.#start({ ...round, disk: undefined, clock: undefined }, second.variant)
      programs.push(other)
    }
    const endings = await Promise.all(programs.map(({ ended }) => ended))
    over.abort()
    this.weather.qdrantDown = false
    await this.#front.settled()
    for (const [i, ending] of endings.entries()) this.#judge(ending, round, i)
    const alone = endings.length === 1 && endings[0].code === 0
    await this.#checkModel(alone ? round.variant : undefined)
    this.#checkServing()
    this.violations.push(...this.#watcher!.hurt.splice(0).map((hurt) => `round ${this.#round}: ${hurt}`))
  }

  /** One more round in peace, after which nothing may be left but what is served and kept. */
  async end(): Promise<void> {
    await this.play(peaceful(0))
    const left = (name: string) =>
      existsSync(join(this.#folder, name)) ? readdirSync(join(this.#folder, name)).sort() : []
    const expectNames = (name: string, patterns: RegExp[]) => {
      const names = left(name)
      if (names.length !== patterns.length || !names.every((each, i) => patterns[i].test(each)))
        this.#violation(`${name} holds ${names.join(', ') || 'nothing'}`)
    }
    expectNames('model', [
      /^catalogue\.jsonl$/,
      /^interactions-\w+\.arrow$/,
      /^items-\w+\.arrow$/,
      /^items-index-\w+\.npy$/,
      /^manifest\.json$/,
      /^report\.html$/,
      /^report\.json$/,
      /^report\.previous\.html$/,
      /^report\.previous\.json$/,
      /^users-\w+\.arrow$/,
      /^users-index-\w+\.npy$/,
    ])
    const checkpoint = left('checkpoint').filter((name) => !/^before-\w+\.bin$/.test(name))
    if (!/^checkpoint\.json items-\w+\.bin users-\w+\.bin$/.test(checkpoint.join(' ')))
      this.#violation(`checkpoint holds ${left('checkpoint').join(', ')}`)
    expectNames('tmp', [])
    expectNames('work', [])
    const { collections, aliases } = this.#standIn.storage
    const served = aliases.get(ALIAS)
    const records = [...collections.values()].map(({ name, metadata }) => [name, recordIn(metadata)?.state] as const)
    const unfinished = records.filter(([name, state]) => name !== served && state !== 'published')
    if (unfinished.length > 0)
      this.#violation(`collections are left: ${unfinished.map(([name, state]) => `${name} (${state})`).join(', ')}`)
    if (records.length > 2)
      this.#violation(`${records.length} collections are kept, expected the served one and one more`)
    const others = [...aliases].filter(
      ([name, target]) => name !== ALIAS && !(name === `${ALIAS}@${served}` && target === served),
    )
    if (others.length > 0) this.#violation(`aliases are left: ${others.map((each) => each.join(' -> ')).join(', ')}`)
  }

  async close(): Promise<void> {
    await this.#watcher?.stop()
    await this.#stormyS3.close()
    await this.#front.close()
    await this.#standIn.close()
    await this.#s3.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #environment(round: Round, variant: number): Record<string, string> {
    const folder = (name: string) => join(this.#folder, name)
    const { disk, clock } = round
    return {
      ...keys,
      S3_ENDPOINT: this.#stormyS3.url,
      HAVES: 's3://shop/haves/',
      WANTS: 's3://shop/wants/',
      RELEASES: 's3://shop/releases/',
      SAMPLE_FRAC_HAVES: '1',
      SAMPLE_FRAC_WANTS: '1',
      MIN_USER_INTERACTIONS: variants[variant],
      MIN_ITEM_INTERACTIONS: '3',
      VECTOR_DIM: '24',
      ITERATIONS: '12',
      THREADS: String(round.threads),
      // Half of a run's processor time goes into starting.
      NODE_COMPILE_CACHE: folder('compiled'),
      OUTPUT_DIR: folder('model'),
      WORK_DIR: folder('work'),
      TMPDIR: folder('tmp'),
      QDRANT_URL: this.#front.url,
      COLLECTION_ALIAS: ALIAS,
      BATCH_SIZE: '40',
      ...(round.checkpoint && { CHECKPOINT_DIR: folder('checkpoint') }),
      ...(round.throughFiles && { MEMORY_LIMIT: String(this.#tight.get(round.threads)) }),
      ...(disk && { CHAOS_DISK: `${disk.bytes} ${folder(disk.folder)}` }),
      ...(clock && { CHAOS_CLOCK: `${clock.after} ${clock.step}` }),
    }
  }

  #start(round: Round, variant: number, more: Record<string, string> = {}): Program {
    this.counts.runs++
    return new Program({ ...this.#environment(round, variant), ...more }, LIMIT)
  }

  /** The models of peaceful runs, without checkpoints and without Qdrant, and how long a run takes. */
  async #learnReferences(): Promise<void> {
    for (const variant of variants.keys()) {
      const begun = performance.now()
      const ending = await this.#start({ ...peaceful(variant), checkpoint: false }, variant, {
        OUTPUT_DIR: join(this.#folder, `reference-${variant}`),
        COLLECTION_ALIAS: `reference-${variant}`,
      }).ended
      if (ending.code !== 0)
        throw new Error(`A run in peace ended with ${ending.code ?? ending.signal}:\n${ending.stderr}`)
      this.typical = performance.now() - begun
      const model = await loadModel(join(this.#folder, `reference-${variant}`))
      this.#references.push({ digest: digestOf(model), items: model.items })
    }
    Object.assign(process.env, keys)
    for (const threads of [1, 2]) {
      const configuration = readConfiguration(recordShop, this.#environment({ ...peaceful(0), threads }, 0))
      const { runtime, ids, working, result } = (
        await planLoad(loadOptions(configuration, new AbortController().signal))
      ).memory
      this.#tight.set(threads, Math.floor(runtime + result + ids + working / 2))
    }
    const { storage } = this.#standIn
    storage.collections.clear()
    storage.aliases.clear()
  }

  #judge({ code, signal, stderr, hung }: Ending, round: Round, run: number): void {
    if (/resumed after/.test(stderr)) this.counts.resumed++
    if (/through temporary files/.test(stderr)) this.counts.throughFiles++
    if (/the disk is full|no space left/i.test(stderr)) this.counts.fullDisks++
    if (code === 0) this.counts.published++
    else if (code === 1) this.counts.failed++
    else if (signal) this.counts.killed++
    else this.counts.stopped++
    const expected = run === 0 && round.signal !== undefined ? [0, 1, 130, 143, null] : [0, 1]
    if (hung) this.#violation(`a run did not end within ${LIMIT / 1000} s: ${stderr.slice(-500)}`)
    else if (!expected.includes(code)) this.#violation(`a run ended with ${code ?? signal}: ${stderr.slice(-1000)}`)
    // Every error that can happen is said in words, not with a stack.
    if (/^ {4}at .*:\d+:\d+\)?$/m.test(stderr)) this.#violation(`a stack trace: ${stderr.slice(-2000)}`)
    const quiet = round.disk === undefined && round.second === undefined && round.signal === undefined
    if (quiet && round.s3 === 0 && round.qdrant === 0 && !round.outage && code !== 0)
      this.#violation(`a run in peace ended with ${code}: ${stderr.slice(-1000)}`)
  }

  /** OUTPUT_DIR holds one of the models to the bit, once a run has got so far; `variant` says which after a run of its own. */
  async #checkModel(variant: number | undefined): Promise<void> {
    const folder = join(this.#folder, 'model')
    if (!existsSync(join(folder, 'manifest.json'))) {
      if (variant !== undefined) this.#violation('a run ended well and left no model')
      return
    }
    try {
      const digest = digestOf(await loadModel(folder))
      const allowed = variant === undefined ? this.#references : [this.#references[variant]]
      if (!allowed.some((reference) => reference.digest === digest)) this.#violation('the model has other bits')
    } catch (error) {
      this.#violation(`the model does not load: ${(error as Error).message}`)
    }
  }

  /** What the alias points to has all its points, and a record that says it has been verified. */
  #checkServing(): void {
    const { collections, aliases } = this.#standIn.storage
    const served = aliases.get(ALIAS)
    if (served === undefined) return
    const collection = collections.get(served)
    const record = recordIn(collection?.metadata)
    if (collection === undefined) this.#violation(`the alias points to ${served}, which is gone`)
    else if (record === undefined || collection.points.size !== record.points)
      this.#violation(`${served} serves ${collection.points.size} points of ${record?.points}`)
    else if (record.state !== 'ready' && record.state !== 'published')
      this.#violation(`${served} serves and is ${record.state}`)
  }

  #violation(text: string): void {
    this.violations.push(`round ${this.#round}: ${text}`)
  }
}

function recordIn(metadata: Record<string, unknown> | undefined): GenerationRecord | undefined {
  return metadata?.seesaw as GenerationRecord | undefined
}

function digestOf({ userFactors, itemFactors }: { userFactors: Float32Array; itemFactors: Float32Array }): string {
  const hash = createHash('sha256')
  for (const factors of [userFactors, itemFactors]) {
    hash.update(new Uint8Array(factors.buffer, factors.byteOffset, factors.byteLength))
  }
  return hash.digest('hex')
}
