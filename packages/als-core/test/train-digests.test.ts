import { expect, it } from 'vitest'
import { digestTraining, fixedTrainings } from './fixed-trainings.ts'

/** SHA-256 of the factors. A change that is meant to change no bit leaves these as they are. */
const digests: Record<string, string> = {
  'hkv, none, 31, int8': '81b9b0ca4d7abc9f50dc0cae34986cd01df96247fd027f798697c7e0941cb3e6',
  'hkv, count, 31, float32': '32278d24e5e4a4c3f88d276e91d22515bfc99cbe2509fa00a1b0fd4cbab2961f',
  'ials, nu, 128, int8': '9a3fa28d3ef360d0ae1aab2bd3bc39e76dd2d6141f1530a673f1f0d683c9e9a1',
  'ials, none, 128, float32, values': 'c029f030f28cc20ab98a11164a5012a033fb40f9aa33ef7565369fd528865c1f',
  'hkv, nu, 512, float32': '131b296f25f4dea091a11c7d710d631a921b0e2439816bf3d95dc848a6ed6cd2',
  'ials, none, 512, int8, values': '5cc20d55090add23dfa7d726c4eac2ec26ba20f4f5309804c299e6101e81a890',
}

it.each(Object.keys(fixedTrainings))('gives the bits on record: %s', async (name) => {
  expect(await digestTraining(name, 2)).toBe(digests[name])
})
