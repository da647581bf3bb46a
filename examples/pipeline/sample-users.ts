import type { InteractionMatrix } from '@seesaw/als-core'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** At most `count` users with entries in every matrix, drawn by `seed` in one pass (reservoir sampling), in ascending order. */
export function sampleUsers(matrices: readonly InteractionMatrix[], count: number, seed: number): Uint32Array {
  const random = xoroshiro128plus(seed | 0)
  const drawn: number[] = []
  let seen = 0
  for (let user = 0; user < matrices[0]!.users; user++) {
    if (!matrices.every(({ csr }) => csr.indptr[user + 1]! > csr.indptr[user]!)) continue
    seen++
    if (drawn.length < count) {
      drawn.push(user)
      continue
    }
    const at = uniformInt(random, 0, seen - 1)
    if (at < count) drawn[at] = user
  }
  return Uint32Array.from(drawn).sort()
}
