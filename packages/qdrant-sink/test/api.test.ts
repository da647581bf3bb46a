import { expect, test } from 'vitest'
import * as api from '../src/index.ts'

test('the public surface', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "Index",
      "POINT_NAMESPACE",
      "PublishError",
      "ServerError",
      "SupersededError",
      "atLeastAsPopularAs",
      "blend",
      "checkIds",
      "collectGarbage",
      "crowdFavourites",
      "filter",
      "forUser",
      "generations",
      "hasId",
      "hiddenGems",
      "isEmpty",
      "itemPoint",
      "match",
      "matchAny",
      "matchExcept",
      "preflight",
      "publish",
      "range",
      "rarerThan",
      "rollback",
      "similar",
    ]
  `)
})
