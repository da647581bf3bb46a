import { expect, it } from 'vitest'
import * as api from '../src/index.ts'

it('exports what the documentation says, and nothing else', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "CheckpointError",
      "DirectoryLockedError",
      "MatrixError",
      "ModelFormatError",
      "OptionError",
      "Recommender",
      "RowError",
      "SingularError",
      "TrainingAborted",
      "answerInProcess",
      "computeLoss",
      "createWorkerPool",
      "evaluate",
      "evaluateServing",
      "featuresFromCsr",
      "featuresFromDense",
      "foldInItems",
      "foldInUsers",
      "holdOutUsers",
      "interactionsFrom",
      "itemNeighbours",
      "leaveKOut",
      "loadModel",
      "lockDirectory",
      "matrixFromCsr",
      "matrixFromTriplets",
      "mostPopular",
      "planMemory",
      "readImplicitModel",
      "saveModel",
      "saveModelStream",
      "splitByTime",
      "splitRandomly",
      "tasteSpace",
      "train",
      "tune",
      "tuneTable",
      "weightByPopularity",
      "writeImplicitModel",
    ]
  `)
})
