/**
 * `npm run bench -- chaos [--rounds 20] [--seed 1] [--lanes 1]`: `examples/train.ts` round after round on a small shop while
 * signals, S3, Qdrant, disks, the clock and second runs get in its way, all drawn from the seed. A client reads the alias all
 * the time. After each round the alias serves a complete collection and OUTPUT_DIR a model with the bits of a peaceful run;
 * after the last one, which is left in peace, nothing else is left.
 */
import { parseArgs } from 'node:util'
import { drawRound } from '../chaos/round.ts'
import { World } from '../chaos/world.ts'
import { randomStream } from '../random-stream.ts'

export async function main(args: string[]): Promise<Record<string, unknown>> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      lanes: { type: 'string', default: '1' },
    },
  })
  const [rounds, seed, lanes] = [values.rounds, values.seed, values.lanes].map(Number)
  const totals: Record<string, number> = { faults: 0, answers: 0 }
  const violations: string[] = []
  let played = 0
  const lane = async (number: number) => {
    const random = randomStream(seed, number)
    const world = await World.create(randomStream(seed, 1000 + number))
    try {
      for (let round = number; round < rounds; round += lanes) {
        await world.play(drawRound(random, world.typical))
        report(world.violations)
        if (++played % 10 === 0) console.error(`${played} rounds, ${violations.length} violations`)
      }
      await world.end()
      report(world.violations)
      for (const [name, count] of Object.entries(world.counts)) totals[name] = (totals[name] ?? 0) + count
      totals.faults += world.faults
      totals.answers += world.answers
    } finally {
      await world.close()
    }
  }
  const report = (found: string[]) => {
    for (const violation of found.splice(0)) {
      violations.push(violation)
      console.error(`VIOLATION ${violation}`)
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)))
  if (violations.length > 0) process.exitCode = 1
  return { rounds, seed, violations: violations.length, ...totals }
}
