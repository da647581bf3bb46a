import { expect, test } from 'vitest'
import * as api from '../src/index.ts'

test('the public surface', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "Index",
      "PublishError",
      "SupersededError",
      "atLeastAsPopularAs",
      "blend",
      "catalogueIndexes",
      "collectGarbage",
      "crowdFavourites",
      "filter",
      "forUser",
      "generations",
      "hasId",
      "hiddenGems",
      "isEmpty",
      "match",
      "matchAny",
      "matchExcept",
      "publish",
      "range",
      "rarerThan",
      "rollback",
      "similar",
    ]
  `)
})
