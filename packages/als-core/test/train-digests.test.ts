import { expect, it } from 'vitest'
import { digestTraining, fixedTrainings } from './fixed-trainings.ts'

/** SHA-256 of the factors. A change that is meant to change no bit leaves these as they are. */
const digests: Record<string, string> = {
  'hkv, none, 31, int8': 'd28d3c7b6548a0eed398ff60e19d9c88007b6b5d3d6ab73d649e02d0c5319f46',
  'hkv, count, 31, float32': '6d18894a35823a31e0eb35c8c67d674084ec79dc0eb85c8f94b6ef1f7973764e',
  'ials, nu, 128, int8': 'c29d2675f5a09b0f840907feac7c9619054a3688447f762b1d066f4be99bd0ef',
  'ials, none, 128, float32, values': '628a9d9576ee7eaaac7ef643e8e093ce751c11ad3c30d5722edc9b91a7d3b565',
  'hkv, nu, 512, float32': '33bfb87fae8100338e1f7cf80d7dd1adf49aeb9e7687d54523915b257231f449',
  'ials, none, 512, int8, values': '42b4f4e78d6fb6c43f5b36f8b1241816f471aeac62fc25e6d2fbb3e43bd9eb1a',
}

it.each(Object.keys(fixedTrainings))('gives the bits on record: %s', async (name) => {
  expect(await digestTraining(name, 2)).toBe(digests[name])
})
