import { readdirSync, readFileSync } from 'node:fs'

/** Of a process and those that it started, up to a moment. */
interface Moment {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly cpuSeconds: number
  /** Resident now; of the children their share of what several processes have mapped. */
  readonly residentMb: number
}

export interface Cost {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMb: number
}

/** Clock ticks a second, and bytes of a page, as /proc counts. */
const TICKS = 100
const PAGE = 4096
/** Milliseconds between two looks, and looks from one at the children's number and memory to the next. */
const PAUSE = 50
const SEARCH = 10

/** Looks at a process and its children while it runs (Linux), so that what a span of time has cost can be told afterwards. */
export class ProcessWatch {
  readonly #root: number
  readonly #moments: Moment[] = []
  readonly #timer: NodeJS.Timeout
  #family: number[]
  #childrenMb = 0
  #looks = 0

  constructor(root: number) {
    this.#root = root
    this.#family = [root]
    this.#look()
    this.#timer = setInterval(() => this.#look(), PAUSE)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** From one moment to another, in milliseconds since 1970. */
  cost(from: number, to: number): Cost {
    const within = this.#moments.filter(({ time }) => time >= from && time <= to)
    const peakMb = within.reduce((most, { residentMb }) => Math.max(most, residentMb), this.#at(from).residentMb)
    return {
      seconds: (to - from) / 1000,
      cpuSeconds: this.#at(to).cpuSeconds - this.#at(from).cpuSeconds,
      peakMb,
    }
  }

  /** At the last look before a time; at the first one before there was any. */
  #at(time: number): Moment {
    return this.#moments.findLast((moment) => moment.time <= time) ?? this.#moments[0]
  }

  #look(): void {
    if (this.#looks++ % SEARCH === 0) {
      this.#family = familyOf(this.#root)
      this.#childrenMb = this.#family.slice(1).reduce((sum, pid) => sum + shareMb(pid), 0)
    }
    let ticks = 0
    let residentMb = this.#childrenMb
    for (const pid of this.#family) {
      const fields = statOf(pid)
      if (fields === undefined) continue
      // utime, stime, and those of children that have ended and been waited for.
      for (const field of fields.slice(11, 15)) ticks += Number(field)
      if (pid === this.#root) residentMb += (Number(fields[21]) * PAGE) / 1e6
    }
    // One that has ended is missing until its parent has waited for it.
    const cpuSeconds = Math.max(ticks / TICKS, this.#moments.at(-1)?.cpuSeconds ?? 0)
    this.#moments.push({ time: Date.now(), cpuSeconds, residentMb })
  }
}

/** A process and its descendants. */
function familyOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? Number(statOf(Number(name))?.[1]) : Number.NaN
    if (parent > 0) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const family = [root]
  for (const pid of family) family.push(...(children.get(pid) ?? []))
  return family
}

/** Proportional set size: pages that several processes have mapped count by their part. */
function shareMb(pid: number): number {
  try {
    return (Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024) / 1e6
  } catch {
    return 0
  }
}

/** From the third field on: those before the name's last bracket may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  } catch {
    return undefined
  }
}
